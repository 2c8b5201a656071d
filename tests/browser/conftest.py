"""A real Chromium for the tests of what is seen in a browser."""

import functools
import http.server
import os
import threading
import weakref
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from chromium import find_browser
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a camera that shows a moving test picture,
    "--use-fake-ui-for-media-stream",  # and that every page may use
]
STILL = weakref.WeakSet()  # pages whose clock stands still
AN_HOUR = 3_600_000  # ms; no page takes that long to open
PATIENCE = 120_000  # ms that a page may take, of which it needs one when the machine is idle
MISSING = (
    "no Chromium or Chrome was found: install one "
    "(Debian: apt-get install chromium-headless-shell; macOS: brew install --cask chromium; "
    "anywhere: python -m playwright install chromium), or name its program in GLASSBOX_BROWSER"
)


@dataclass
class Visit:
    """A page, and what it did that a reader would not see."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._hear)
        self.page.on("requestfailed", lambda request: self.errors.append(f"failed {request.url}"))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _hear(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def outside(self) -> list[str]:
        """List the requests that left the machine."""
        inside = ("data:", "blob:", "file:", "http://127.0.0.1:", "http://localhost:")
        return [url for url in self.requests if not url.startswith(inside)]

    def pass_time(self, milliseconds: int = 50) -> None:
        """Let time pass on a page that ``shown`` has opened; by default enough for a redraw."""
        self.page.clock.run_for(milliseconds)

    def overflow(self) -> int:
        """Measure by how many pixels the page is wider than its window."""
        return self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests; without one they are skipped, and on CI they fail."""
    with sync_playwright() as playwright:
        path = find_browser(playwright)
        if path is None:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(MISSING)
        started = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=PATIENCE)
        yield started
        started.close()


def _visits(browser: Browser):
    contexts = []

    def opened(
        url: str, *, scheme="light", width=1280, height=900, before=lambda visit: None, **options
    ) -> Visit:
        window = {"width": width, "height": height}
        context = browser.new_context(color_scheme=scheme, viewport=window, **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        visit = Visit(context.new_page())
        before(visit)
        visit.page.goto(url)
        return visit

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def visit(browser: Browser):
    """Open pages: visit(url, scheme="dark", width=390); each has a context of its own."""
    yield from _visits(browser)


@pytest.fixture
def shown(visit, site: Path, request):
    """Open the page of a module that makes it as ``site`` and names in SHOWN what to wait for.

    Its clock stands still until ``pass_time``, so that no test depends on how fast the machine is.
    """

    def opened(address: str = "", **options) -> Visit:
        made = visit((site / "index.html").as_uri() + address, before=_with_clock, **options)
        made.page.wait_for_selector(request.module.SHOWN)
        made.page.clock.pause_at(AN_HOUR)
        made.pass_time()  # for its first pictures
        return made

    return opened


def _with_clock(visit: Visit) -> None:
    visit.page.clock.install(time=0)
    STILL.add(visit.page)


@pytest.fixture(scope="module")
def shared_visit(browser: Browser):
    """Open pages for several tests of a module, that do not change them."""
    yield from _visits(browser)


# Half of the time axe would look at the contrast of a thousand words of code. They come in ten
# looks: three words of each are checked, and the others, which are only colored words, left out.
MARK_ALIKE = """() => {
    const times = {};
    for (const word of document.querySelectorAll(".highlight span:not(:has(*))")) {
        let under = word;
        while (under.parentElement && getComputedStyle(under).backgroundColor.endsWith(", 0)")) {
            under = under.parentElement;
        }
        const { color, fontSize, fontWeight, opacity } = getComputedStyle(word);
        const paper = getComputedStyle(under).backgroundColor;
        const look = [color, fontSize, fontWeight, opacity, paper];
        const shown = word.getClientRects().length > 0;
        word.toggleAttribute("data-alike", shown && times[look] >= 3);
        times[look] = (times[look] ?? 0) + shown;
    }
}"""


@pytest.fixture(scope="session")
def violations():
    """List what axe finds on a page: violations(page) -> ["rule: element", ...]."""

    def found(page: Page) -> list[str]:
        if page in STILL:
            page.clock.resume()  # axe waits, too
        page.evaluate(MARK_ALIKE)
        results = Axe().run(page, {"exclude": [["[data-alike]"]]}).response["violations"]
        return [f"{rule['id']}: {node['html']}" for rule in results for node in rule["nodes"]]

    return found


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def serve():
    """Serve folders from a port of this machine: serve(folder) -> "http://127.0.0.1:port"."""
    servers = []

    def served(folder: Path) -> str:
        handler = functools.partial(_Quiet, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield served
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def address(book, serve):
    """Where the book is served."""
    return serve(book)
