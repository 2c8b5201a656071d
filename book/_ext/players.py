"""The players in a page: frames become files, and styles and scripts appear once per page."""

import base64
import hashlib
import re
from pathlib import Path

FOLDER = "_images/frames"
FRAME = re.compile(r"data:image/(png|webp);base64,([A-Za-z0-9+/=]+)")
# Frames are only looked for inside these; styles and scripts around them are the package's.
PLAYER = re.compile(
    r"<gb-player>.*?</gb-player>|<div class=\"gb-computed\".*?</script></div>", re.S
)
SHARED = re.compile(
    r"<style>[^<]*</style>|<script>.*?</script>|<script type=\"module\">.*?</script>", re.S
)


def split(app, pagename, templatename, context, doctree) -> None:
    """Move the frames of a page's players into files, named by their content, beside the images."""
    body = context.get("body") or ""
    if not PLAYER.search(body):
        return
    folder = Path(app.outdir, FOLDER)
    folder.mkdir(parents=True, exist_ok=True)

    def moved(match: re.Match) -> str:
        data = base64.b64decode(match[2])
        name = f"{hashlib.sha256(data).hexdigest()[:20]}.{match[1]}"
        (folder / name).write_bytes(data)
        return context["pathto"](f"{FOLDER}/{name}", 1)

    seen = set()

    def once(match: re.Match) -> str:
        repeated = match[0] in seen
        seen.add(match[0])
        return "" if repeated else match[0]

    body = PLAYER.sub(lambda player: FRAME.sub(moved, player[0]), body)
    context["body"] = SHARED.sub(once, body)


def setup(app) -> dict:
    """Register what is done to each page before it is written."""
    app.connect("html-page-context", split, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
