"""Nothing here needs a network: what stands for the hub is a port of this machine, closed or open."""

import logging
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from huggingface_hub import constants, hf_hub_download

from mitools.core.errors import InputError
from mitools.encoders import open_encoder
from mitools.encoders.downloads import downloading, hub_files


@pytest.fixture
def unreachable(monkeypatch, tmp_path):
    """No hub, and none of its files kept."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return constants.ENDPOINT


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("timm:test_resnet", "check the network, or take pretrained=no"),
        ("timm:hf-hub:org/network", "check the name and the network"),
        ("hf:org/network", "check the name and the network, or give a folder"),
    ],
)
def test_without_a_network_weights_are_asked_for_once(unreachable, monkeypatch, caplog, capsys, spec, words):
    waits: list[float] = []  # the hub's library waits 1, 2, 4, 8 and 8 seconds between its tries
    monkeypatch.setattr(time, "sleep", waits.append)
    with caplog.at_level(logging.WARNING), pytest.raises(InputError) as caught:
        open_encoder(spec)
    assert sum(waits) < 1
    message = str(caught.value)
    assert f"(ConnectionError: {unreachable} cannot be reached" in message
    assert "not all its files are kept here" in message
    assert words in message
    assert not caplog.records
    assert capsys.readouterr() == ("", "")
    assert constants.HF_HUB_OFFLINE is False


def test_kept_files_are_read_without_a_network(unreachable, tmp_path):
    kept = tmp_path / "models--org--network" / "snapshots" / ("0" * 40) / "config.json"
    kept.parent.mkdir(parents=True)
    kept.write_text("{}")
    reference = kept.parents[2] / "refs" / "main"
    reference.parent.mkdir()
    reference.write_text("0" * 40)
    with hub_files():
        assert hf_hub_download("org/network", "config.json") == str(kept)


def test_other_errors_and_reachable_hubs_are_left_alone(monkeypatch, unreachable):
    with pytest.raises(ZeroDivisionError), hub_files():
        raise ZeroDivisionError

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(404)
            self.end_headers()

        def log_message(self, *words):
            pass

    server = HTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    with hub_files():
        assert constants.HF_HUB_OFFLINE is False
    server.shutdown()


def test_a_folder_asks_nobody(unreachable, tmp_path):
    with hub_files(str(tmp_path)):
        assert constants.HF_HUB_OFFLINE is False


def test_what_a_download_prints_is_no_result(capsys):
    with downloading():
        print('Downloading: "https://somewhere/weights.pth"')
        assert socket.getdefaulttimeout() == 20
    assert capsys.readouterr().out == ""
    assert socket.getdefaulttimeout() is None


def test_threads_that_fetch_at_once_leave_all_as_it_was():
    out, timeout = sys.stdout, socket.getdefaulttimeout()

    def fetch(_):
        with downloading():
            time.sleep(0.01)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fetch, range(12)))
    assert (sys.stdout, socket.getdefaulttimeout()) == (out, timeout)
