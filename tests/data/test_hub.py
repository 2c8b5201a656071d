"""Whether the hub answers is asked once, and what its client then does is left to the client."""

import ssl
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import URLError

import pytest
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError

from glassbox.data import hub


@pytest.fixture
def answer(monkeypatch):
    """Serve a hub that gives a status after some seconds, and keeps what it was asked."""
    answers, heard = [200, 0.0], []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            heard.append(self.path)
            time.sleep(answers[1])
            self.send_response(answers[0])
            self.end_headers()

        def log_message(self, *args):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{http.server_port}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield answers, heard
    http.shutdown()
    http.server_close()


@pytest.mark.parametrize("status", [200, 401, 404, 503])
@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_a_hub_that_answers_is_left_to_its_client(answer, status, seconds):
    answers, heard = answer
    answers[:] = status, seconds
    with hub.cache_alone_without_hub():
        assert not constants.HF_HUB_OFFLINE
    assert heard == ["/"] or heard == [""]


def test_a_hub_that_is_silent_is_given_up(answer, monkeypatch):
    answers, _ = answer
    answers[1] = 1.0
    monkeypatch.setattr(hub, "_PATIENCE", 0.1)
    with hub.cache_alone_without_hub():
        assert constants.HF_HUB_OFFLINE
    assert not constants.HF_HUB_OFFLINE


def test_without_a_network_what_is_not_in_the_cache_is_told_by_the_name_of_the_hub(
    answer, no_network
):
    with (
        pytest.raises(ConnectionError, match=r"^http://127.0.0.1:\d+ does not answer$"),
        hub.cache_alone_without_hub(),
    ):
        assert constants.HF_HUB_OFFLINE
        raise LocalEntryNotFoundError("as the client says it")
    assert not constants.HF_HUB_OFFLINE and len(no_network) == 1


def test_a_certificate_of_another_kind_is_left_to_the_client(answer, monkeypatch):
    def refused(*args, **options):
        raise URLError(ssl.SSLCertVerificationError("self-signed certificate"))

    monkeypatch.setattr(urllib.request, "urlopen", refused)
    with hub.cache_alone_without_hub():
        assert not constants.HF_HUB_OFFLINE


def test_who_chose_to_be_offline_is_not_asked(answer, monkeypatch):
    _, heard = answer
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(LocalEntryNotFoundError), hub.cache_alone_without_hub():
        raise LocalEntryNotFoundError("as the client says it")
    assert constants.HF_HUB_OFFLINE and heard == []
