import http.server
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import sites, toolchain
from local.paths import PROJECT
from local.sites import Site
from local.steps import Failure
from tests.support.programs import Program

GARBAGE, HANGS_UP = 0, -1


class FrontPage:
    """A real server whose front page answers with each status of `answers` in turn, then with the last."""

    def __init__(self) -> None:
        self.answers = [200]
        self.asked: list[str] = []
        page = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page.asked.append(self.path)
                status = page.answers.pop(0) if len(page.answers) > 1 else page.answers[0]
                if status == GARBAGE:
                    self.wfile.write(b"garbage\r\n")
                elif status != HANGS_UP:
                    self.send_response(status)
                    self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.authority = f"127.0.0.1:{self.server.server_port}"
        self.address = f"http://{self.authority}"


@pytest.fixture
def page() -> Iterator[FrontPage]:
    page = FrontPage()
    with page.server:
        thread = threading.Thread(target=page.server.serve_forever, args=(0.005,))
        thread.start()
        yield page
        page.server.shutdown()
        thread.join()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(toolchain, "BIN", tmp_path / "bin")
    monkeypatch.setattr(sites, "_POLL_SECONDS", 0.005)
    monkeypatch.setattr(sites, "_DEADLINE_SECONDS", 5.0)
    return tmp_path / "bin"


@pytest.fixture
def tenants(programs: Path, page: FrontPage) -> tuple[Program, Program]:
    outputs = {
        name: {"namespace": f"{name}-space", "service": f"{name}-web", "reach": f"reach {name}"}
        for name in ("blog-aku", "shop")
    }
    script = f"""
    case "$2" in
        service) printf {page.authority} ;;
        pods) echo 'wordpress-0 CrashLoopBackOff' ;;
        events) seq --format='event %g' 1 30 ;;
    esac
    """
    return Program(programs, "pulumi", f"echo '{json.dumps(outputs)}'"), Program(programs, "kubectl", script)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(200, "200"), (404, "404"), (503, "503"), (GARBAGE, "garbage"), (HANGS_UP, "without response")],
)
def test_whatever_a_server_answers_is_an_answer(page: FrontPage, answer: int, expected: str) -> None:
    page.answers = [answer]
    assert expected in sites._status(page.address)
    assert page.asked == ["/"]


def test_a_server_that_is_not_there_yet_is_an_answer_too() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        assert "refused" in sites._status(f"http://127.0.0.1:{silent.getsockname()[1]}")


def test_a_site_is_asked_directly_whatever_the_proxy(page: FrontPage) -> None:
    # In a process of its own: the proxies are read once.
    asks = f"from local import sites; print(sites._status('{page.address}'))"
    proxies = {"http_proxy": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"}
    ended = subprocess.run(
        [sys.executable, "-S", "-c", asks], cwd=PROJECT, env=proxies, capture_output=True, text=True, check=True
    )
    assert ended.stdout == "200\n"


def test_each_tenants_site_is_found_by_the_outputs_of_the_stack(
    tenants: tuple[Program, Program], page: FrontPage
) -> None:
    pulumi, kubectl = tenants
    assert sites.wait() == [
        Site("blog-aku", page.address, "reach blog-aku"),
        Site("shop", page.address, "reach shop"),
    ]
    assert pulumi.calls == ["stack output tenants --json --stack dev"]
    assert kubectl.calls == [
        f"get service {name}-web -n {name}-space -o jsonpath={{.spec.clusterIP}}" for name in ("blog-aku", "shop")
    ]


def test_a_site_is_waited_for_until_it_answers_200(tenants: tuple[Program, Program], page: FrontPage) -> None:
    page.answers = [HANGS_UP, 503, GARBAGE, 404, 200]
    sites.wait()
    assert len(page.asked) == 6


def test_a_site_that_does_not_answer_in_time_is_told_with_its_pods_and_events(
    tenants: tuple[Program, Program], page: FrontPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sites, "_DEADLINE_SECONDS", 0.02)
    page.answers = [503]
    with pytest.raises(Failure) as caught:
        sites.wait()
    first, pods, *events = caught.value.message.splitlines()
    assert first == f"blog-aku does not answer on {page.address} (503)"
    assert pods == "wordpress-0 CrashLoopBackOff"
    assert events == [f"event {number}" for number in range(21, 31)]
    assert "kubectl get pods -n blog-aku" in caught.value.fix


def test_what_kubectl_or_pulumi_refuses_is_told(programs: Path) -> None:
    Program(programs, "pulumi", "echo 'error: no stack selected' >&2; exit 255")
    with pytest.raises(Failure, match=r"(?s)`pulumi stack output .*error: no stack selected"):
        sites.wait()


def test_addresses_are_progress_and_leave_standard_output_to_results(capfd: pytest.CaptureFixture[str]) -> None:
    sites.show([Site("blog-aku", "http://10.0.0.1", "reach blog-aku"), Site("shop", "http://10.0.0.2", "reach shop")])
    out, err = capfd.readouterr()
    assert out == ""
    assert "  blog-aku  http://10.0.0.1\n  shop      http://10.0.0.2\n" in err
    assert '  eval "$(make -s env)"\n  reach blog-aku\n' in err
    assert "pulumi stack output adminPasswords --show-secrets" in err
