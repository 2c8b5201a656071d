"""The hub that has the weights of timm's models: whether it answers, before its client waits."""

import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import HTTPError

# Seconds for a first answer. A network that takes longer would not bring megabytes of weights.
_PATIENCE = 15.0


@contextmanager
def cache_alone_without_hub() -> Iterator[None]:
    """Let timm look for weights in the cache alone, while the hub does not answer.

    Left to itself, the hub's client asks six times for each name that a file of weights may have,
    and waits longer from time to time: most of a minute, to say that there is no network. Where the
    hub answers at all, however slowly or with whatever error, the client is left to itself.

    Raises:
        ConnectionError: If the hub does not answer, and what is asked for is not in the cache.
    """
    from huggingface_hub import constants

    offline = constants.HF_HUB_OFFLINE  # by the reader's own choice
    if offline or _answers(constants.ENDPOINT):
        yield
        return
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    except FileNotFoundError as error:
        raise ConnectionError(f"{constants.ENDPOINT} does not answer") from error
    finally:
        constants.HF_HUB_OFFLINE = offline


def _answers(address: str) -> bool:
    """Ask for the head of a page, through the proxy that the environment names, if any."""
    request = urllib.request.Request(address, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE):
            return True
    except HTTPError:  # an answer, too
        return True
    except OSError as error:  # of another certificate the client knows more
        return isinstance(getattr(error, "reason", error), ssl.SSLError)
