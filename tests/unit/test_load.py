"""The load that e2e tests put on a site, and its measure of an outage."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support import load
from tests.support.load import Load

STATUS = {"now": 200}


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(STATUS["now"])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    STATUS["now"] = 200
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_a_site_that_is_up_has_no_outage(port: int) -> None:
    with Load("127.0.0.1", port=port) as visitors:
        visitors.await_answer()
    assert visitors.requests >= 2
    assert visitors.failures == []
    assert visitors.outage < 0.5


def test_an_outage_is_measured_from_the_last_answer_to_the_next(port: int) -> None:
    with Load("127.0.0.1", port=port) as visitors:
        STATUS["now"] = 503
        time.sleep(0.8)
        STATUS["now"] = 200
        visitors.await_answer()
    assert {failure.why for failure in visitors.failures} == {"503"}
    assert 0.7 < visitors.outage < 1.5


def test_an_outage_that_has_not_ended_lasts_until_the_loads_end(port: int) -> None:
    with Load("127.0.0.1", port=port) as visitors:
        STATUS["now"] = 503
        time.sleep(0.8)
    assert 0.7 < visitors.outage < 1.5


def test_a_load_that_nobody_answered_was_one_outage_and_says_why(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    STATUS["now"] = 503
    monkeypatch.setattr(load, "_FIRST_ANSWER_SECONDS", 0.6)
    visitors = Load("127.0.0.1", port=port)
    with pytest.raises(AssertionError, match=r"in vain for a visitor's answer[\s\S]*503"), visitors:
        pytest.fail("began without an answer")
    assert 0.6 <= visitors.outage < 1.5
