"""Show a network a picture of your own: it runs in the page, and a map tells what it went by."""

import base64

from glassbox.chapters.gradcam.photo_cam.pack import SHOWN, network_file, to_jpeg
from glassbox.chapters.gradcam.photo_cam.photo_figure import show_seen
from glassbox.data.photos import photographs
from glassbox.explorables.js_widgets import show_computed
from glassbox.networks.imagenet import imagenet_network
from glassbox.plotting.colors import HEAT_COLORS
from glassbox.support.arguments import check_choice

MEGABYTES = 7  # of the network's file as a page loads it


def see_your_picture(start: str = "cat") -> None:
    """Show five classes that EfficientNet-Lite0 finds in a picture, and a map for the chosen one.

    A picture is dropped, chosen or pasted, comes from a camera, or is a photograph of this book. It
    is computed where it is seen, and stays there. The network comes once the reader asks for it:
    from a file beside the page, or from the kernel.

    Args:
        start: The photograph to begin with, one of :data:`~.pack.SHOWN`.

    Raises:
        ValueError: If the photograph is unknown.
        ModuleNotFoundError: If a package is missing; the message says how to install it.
        glassbox.data.downloads.DownloadError: If a file of a package has the wrong checksum.
    """
    check_choice(SHOWN, start=start)
    photo = photographs(start)[start]
    preview = base64.b64encode(to_jpeg(photo.image)).decode()
    state = {
        "start": start,
        "preview": f"data:image/jpeg;base64,{preview}",
        "credit": photo.credit,
        "megabytes": MEGABYTES,
    }
    show_computed(
        "photo_cam",
        state,
        still=show_seen(imagenet_network(), photo),
        name="Your own picture",
        colors={"heat": HEAT_COLORS},
        files={"network": network_file},
    )
