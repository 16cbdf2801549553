import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.support.cli import siteforge
from tests.support.collector import collecting, said

CATALOGUE = Path(__file__).parents[2] / "tenants.yaml"
WITHOUT = """
import sys
from siteforge import cli, traces
with traces.span("run", tenants=1):
    traces.note(failed="no", code=1)
    traces.record("tenant", 1.0, 2.0)
    assert traces.carried(lambda a: a)(7) == 7
print(*[name for name in sys.modules if name.startswith("opentelemetry")])
"""


def test_without_an_endpoint_nothing_of_opentelemetry_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True, env={})
    assert done.stdout == "\n"


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_a_run_is_sent_to_the_endpoint(variable: str) -> None:
    with collecting() as received:
        address = received.address + ("/v1/traces" if "TRACES" in variable else "")
        assert siteforge("validate", CATALOGUE, cwd=None, **{variable: address}).returncode == 0
    (run,) = received.spans
    assert (run.name, received.services) == ("run", {"siteforge"})
    assert said(run)["siteforge.command"] == "validate"
    assert len(str(said(run)["siteforge.run"])) == 8
    assert run.status.code == Status.STATUS_CODE_UNSET
    assert 0 < run.start_time_unix_nano < run.end_time_unix_nano


def test_a_run_that_fails_is_marked_and_its_mistake_is_not_told(tmp_path: Path) -> None:
    catalogue = tmp_path / "tenants.yaml"
    catalogue.write_text("tenants: [{name: hunter2}]")
    with collecting() as received:
        assert siteforge("validate", catalogue, OTEL_EXPORTER_OTLP_ENDPOINT=received.address).returncode == 2
    (run,) = received.spans
    assert run.status.code == Status.STATUS_CODE_ERROR
    assert b"hunter2" not in received.content


def test_help_is_no_failure() -> None:
    with collecting() as received:
        assert siteforge("validate", "--help", OTEL_EXPORTER_OTLP_ENDPOINT=received.address).returncode == 0
    assert {one.status.code for one in received.spans} <= {Status.STATUS_CODE_UNSET}


@pytest.mark.parametrize("refuses", [True, False], ids=["refuses", "is silent"])
def test_an_endpoint_that_refuses_or_never_answers_fails_no_run_and_is_told_once(refuses: bool) -> None:
    with socket.socket() as endpoint:
        endpoint.bind(("127.0.0.1", 0))
        if not refuses:
            endpoint.listen()
        address = f"http://name:hunter2@127.0.0.1:{endpoint.getsockname()[1]}"
        # Of itself, it would be tried for ten seconds and more; `siteforge` is given sixty here.
        done = siteforge("--log-format", "json", "validate", CATALOGUE, OTEL_EXPORTER_OTLP_ENDPOINT=address)
    assert done.returncode == 0
    assert "hunter2" not in done.stderr
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["event"] == "traces are lost: their endpoint takes none"
