"""Players of explorables in a page: their frames as files, their style and script once a page."""

import base64
import hashlib
import re
from pathlib import Path

FOLDER = "_images/frames"
FRAME = re.compile(r"data:image/(png|webp);base64,([A-Za-z0-9+/=]+)")
PLAYER = re.compile(
    r"(<style>[^<]*</style>)?(<gb-player>.*?</gb-player>)(<script>.*?</script>)?",
    re.S,
)


def split(app, pagename, templatename, context, doctree) -> None:
    """Move the frames of a page's players into files, named by their content, beside the images."""
    body = context.get("body") or ""
    if "<gb-player>" not in body:
        return
    folder = Path(app.outdir, FOLDER)
    folder.mkdir(parents=True, exist_ok=True)

    def moved(match: re.Match) -> str:
        data = base64.b64decode(match[2])
        name = f"{hashlib.sha256(data).hexdigest()[:20]}.{match[1]}"
        (folder / name).write_bytes(data)
        return context["pathto"](f"{FOLDER}/{name}", 1)

    seen = set()

    def slimmed(match: re.Match) -> str:
        style, player, script = (part or "" for part in match.groups())
        parts = ["" if part in seen else part for part in (style, script)]
        seen.update((style, script))
        return parts[0] + FRAME.sub(moved, player) + parts[1]

    context["body"] = PLAYER.sub(slimmed, body)


def setup(app) -> dict:
    """Register what is done to each page before it is written."""
    app.connect("html-page-context", split, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
