"""Tenants that can't become ready, each for another reason, beside one that can."""

import json
import re
import signal
import subprocess
import time
from typing import Any

import pytest

from local import images
from tests.e2e.conftest import MakeStack
from tests.support import simulated
from tests.support.commands import kubectl
from tests.support.stack import Stack
from tests.support.waiting import eventually

WELL = "e2e-why-well"
FAILING = {
    # An image that is no database: it ends at once, for options that it doesn't know.
    "e2e-why-crash": (
        r"pod/mariadb-0, container mariadb: it ends again and again",
        r"log of mariadb-0, container mariadb: ",
    ),
    "e2e-why-node": (r"pod/\S+: no node can take the pod", r"event FailedScheduling of pod/\S+: "),
    "e2e-why-claim": (
        r"persistentvolumeclaim/mariadb: no volume can be made for the claim",
        r"event ProvisioningFailed of ",
    ),
    "e2e-why-quota": (r"\S+: its pods don't fit into the quota \(.*exceeded quota: tight", r"event FailedCreate of "),
}
"""What is said of each: the reason, and what else the cluster has to say."""

_SOON_SECONDS = 30.0
_SLACK = 3


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Stack:
    stack = make_stack("why")
    stack.configure("readiness", "fleet")
    nowhere = {"scheduling": {"nodeSelector": {"there-is": "none"}}}
    fields: dict[str, dict[str, Any]] = {
        "e2e-why-crash": {"database": {"image": images.WORDPRESS, "scheduling": {}}},
        "e2e-why-node": {"wordpress": nowhere, "database": nowhere},
        "e2e-why-claim": {"database": {"volume": {"storageClass": "there-is-none"}}},
        "e2e-why-quota": {},
    }
    stack.catalogue(
        simulated.catalogue([simulated.tenant(WELL), *(simulated.tenant(n, **f) for n, f in fields.items())])
    )
    # Somebody else's, beside the tenant's own: a namespace that is there is taken over.
    kubectl("create", "namespace", "e2e-why-quota")
    kubectl("create", "quota", "tight", "-n", "e2e-why-quota", "--hard=pods=0")
    return stack


def test_who_fails_is_named_with_object_reason_events_and_last_log_lines_and_others_are_deployed(stack: Stack) -> None:
    started = time.monotonic()
    done = stack.siteforge("up", "--timeout", f"{_SOON_SECONDS:.0f}", check=False)
    took = time.monotonic() - started
    print(done.stdout + done.stderr)
    assert done.returncode == 1
    assert took < _SLACK * 2 * _SOON_SECONDS, "half a minute of waiting, and the run itself"
    blocks = dict(re.findall(r"^(e2e-why-\w+): (not ready after .*\n(?:  .*\n)*)", done.stderr, re.MULTILINE))
    assert set(blocks) == set(FAILING)
    for tenant, said in FAILING.items():
        for words in said:
            assert re.search(rf"^  {words}", blocks[tenant], re.MULTILINE), (words, blocks[tenant])
    assert "1 of 5 tenants up" in done.stdout
    assert simulated.ready(WELL)


def test_ctrl_c_ends_the_wait_and_says_who_was_not_seen_ready(stack: Stack) -> None:
    up = stack.start("up", "--timeout", "300", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert up.stderr
    said = []
    for line in up.stderr:
        said.append(line)
        if "is not ready yet" in line:
            up.send_signal(signal.SIGINT)
            break
    told, rest = up.communicate(timeout=60)
    said.append(rest)
    assert up.returncode == 1, told + "".join(said)
    assert f"not finished: {', '.join(sorted(FAILING))}\n" in "".join(said)
    assert told.startswith("stopped: ")
    assert "Traceback" not in "".join(said)


def test_pods_that_pod_security_forbids_are_told(stack: Stack) -> None:
    """None of the catalogue's: somebody edited the Deployment; `siteforge up --drifted` takes it back."""
    patch = json.dumps({"spec": {"template": {"spec": {"securityContext": {"runAsNonRoot": False}}}}})
    kubectl("patch", "deployment/wordpress", "-n", WELL, "--type=strategic", "-p", patch)

    def told() -> bool:
        shown = stack.siteforge("status", WELL, check=False).stdout
        return "deployment/wordpress: Pod Security forbids its pods" in shown and "runAsNonRoot" in shown

    eventually("status to tell", told, namespace=WELL)
    stack.siteforge("up", "--drifted", "--tenant", WELL, "--timeout", "60")
    assert stack.siteforge("status", WELL).returncode == 0
