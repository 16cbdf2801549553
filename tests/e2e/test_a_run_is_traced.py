from collections import Counter
from collections.abc import Iterator

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.e2e.conftest import SECRET, MakeStack
from tests.support import simulated
from tests.support.collector import Received, collecting, said
from tests.support.stack import Stack

WELL, UNWELL = "e2e-traced-well", "e2e-traced-unwell"


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Stack:
    stack = make_stack("traced")
    stack.configure("readiness", "fleet")
    nowhere = {"scheduling": {"nodeSelector": {"there-is": "none"}}}
    stack.catalogue(
        simulated.catalogue([simulated.tenant(WELL), simulated.tenant(UNWELL, wordpress=nowhere, database=nowhere)])
    )
    return stack


@pytest.fixture(scope="module")
def received(stack: Stack) -> Iterator[Received]:
    with collecting() as received:
        done = stack.siteforge("up", "--timeout", "15", check=False, OTEL_EXPORTER_OTLP_ENDPOINT=received.address)
        assert done.returncode == 1, done.stdout + done.stderr
    yield received


def test_a_trace_shows_cell_phases_and_tenants_each_in_its_place(received: Received) -> None:
    assert Counter(received.path(span) for span in received.spans) == {
        "run": 1,
        "run plan": 1,
        "run cell": 1,
        "run cell pulumi": 1,
        "run cell pulumi tenant": 2,
        "run readiness": 1,
        "run readiness tenant": 2,
    }
    assert len({span.trace_id for span in received.spans}) == 1
    (cell,) = received.named("cell")
    assert said(cell) == {"siteforge.stack": "traced", "siteforge.tenants": 2}
    assert {said(one)["siteforge.tenant"] for one in received.named("tenant")} == {WELL, UNWELL}
    (run,) = received.named("run")
    for span in received.spans:
        assert run.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= run.end_time_unix_nano


def test_what_failed_is_marked_and_what_did_not_is_not(received: Received) -> None:
    failed = {
        (span.name, str(said(span).get("siteforge.tenant", "")), span.status.message)
        for span in received.spans
        if span.status.code == Status.STATUS_CODE_ERROR
    }
    assert failed == {("run", "", "Exit"), ("tenant", UNWELL, "not ready")}


def test_no_secret_and_no_message_is_sent(received: Received) -> None:
    for secret in (b"sfg_", SECRET.encode(), b"there-is"):
        assert secret not in received.content
