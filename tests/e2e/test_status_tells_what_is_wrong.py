import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from siteforge.fleet.diagnosis import Cause
from tests.support.commands import kubectl
from tests.support.stack import Stack
from tests.support.waiting import eventually

NAMESPACE = "e2e-blog"
OURS = "app.kubernetes.io/part-of=siteforge"
"""Not the pods that ask for scheduled work, which come and go."""


def status(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    return stack.siteforge("status", *arguments, check=False)


def told(stack: Stack, *arguments: str) -> dict[str, Any]:
    """What programs are told of the tenant, with the exit code."""
    done = status(stack, NAMESPACE, "--output", "json", *arguments)
    data = json.loads(done.stdout)
    assert done.returncode == (0 if data["healthy"] else 1), done.stderr
    (tenant,) = data["tenants"]
    return dict(tenant)


def patch(target: str, **fields: Any) -> None:
    kubectl("patch", "-n", NAMESPACE, target, "--type=strategic", "-p", json.dumps(fields))


def names(*what: str) -> list[str]:
    return kubectl("get", *what, "-n", NAMESPACE, "-o", "name").split()


def container(**fields: Any) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [{"name": "wordpress", **fields}]}}}


@pytest.fixture
def quota_for_another_claim(blog: Stack) -> Iterator[None]:
    """A quota that lets one more pod and one more claim in, which are removed afterwards; `blog` sets it back."""
    patch(
        "resourcequota/tenant", spec={"hard": {"pods": "3", "persistentvolumeclaims": "3", "requests.storage": "9Gi"}}
    )
    yield
    kubectl("delete", "persistentvolumeclaim/spare", "-n", NAMESPACE, "--ignore-not-found")


def test_a_healthy_fleet_is_told_with_what_really_runs(blog_stack: Stack) -> None:
    eventually("the tenant to be Ready", lambda: told(blog_stack)["condition"] == "Ready", namespace=NAMESPACE)
    # The pod of an earlier rollout may still be going: it counts against the quota, not as what runs.
    eventually("two pods", lambda: len(names("pods", "-l", OURS)) == 2, namespace=NAMESPACE)
    tenant = told(blog_stack, "--drift")
    ids = kubectl(
        "get", "pods", "-n", NAMESPACE, "-l", OURS, "-o", "jsonpath={.items[*].status.containerStatuses[*].imageID}"
    )
    assert {image["digest"] for image in tenant["images"]} == {name.rpartition("@")[2] for name in ids.split()}
    assert (tenant["version"], tenant["ready"], tenant["wanted"], tenant["reasons"]) == ("6.1.9", 2, 2, [])
    assert {volume["claim"]: volume["phase"] for volume in tenant["volumes"]} == {
        "wordpress": "Bound",
        "mariadb": "Bound",
    }
    assert {line["resource"]: line["used"] for line in tenant["quota"]}["pods"] in ("2", "3"), (
        "one may be there for scheduled work"
    )
    assert tenant["created"] <= tenant["deployed"]
    for form in ("table", "wide"):
        shown = status(blog_stack, "--output", form)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "1 tenant: 1 Ready" in shown.stdout


def test_the_causes_of_failures_are_told(blog: Stack, quota_for_another_claim: None) -> None:
    """An image that nobody has, more pods than the quota lets in, a claim of a class that there is not: all at once."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "spare", "namespace": NAMESPACE, "labels": {"app.kubernetes.io/part-of": "siteforge"}},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "there-is-none",
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(claim))
    # A registry that refuses at once.
    patch("deployment/wordpress", spec=container(image="127.0.0.1:1/there-is-none:1"))

    def causes() -> dict[str, str]:
        return {reason["cause"]: reason["message"] for reason in told(blog)["reasons"]}

    def are_told(*wanted: str) -> None:
        eventually(f"{wanted} to be told", lambda: set(wanted) <= causes().keys(), namespace=NAMESPACE)

    are_told("ImagePull", "ClaimUnbound")
    # Only now, so that the last pod that the quota lets in is one of the new image.
    patch("deployment/wordpress", spec={"replicas": 3})
    are_told("QuotaExceeded", "ImagePull", "ClaimUnbound")
    messages = causes()
    assert "exceeded quota" in messages["QuotaExceeded"]
    assert "127.0.0.1:1/there-is-none:1" in messages["ImagePull"]
    assert "there-is-none" in messages["ClaimUnbound"]
    assert messages["ClaimUnbound"].startswith("persistentvolumeclaim/spare: ")
    shown = status(blog)
    assert shown.returncode == 1
    assert "1 tenant: 1 Degraded" in shown.stdout
    for cause in (Cause.QUOTA_EXCEEDED, Cause.IMAGE_PULL, Cause.CLAIM_UNBOUND):
        assert cause.words in shown.stdout

    patch("resourcequota/tenant", spec={"hard": {"pods": "9"}})
    patch("deployment/wordpress", spec=container(image="siteforge.local/wordpress:6.1.9", command=SAYS_AND_ENDS))
    eventually("status to show the last words", lambda: LAST_WORDS in status(blog).stdout, namespace=NAMESPACE)

    def end_is_told() -> bool:
        # Each time that it is started anew, it runs for a moment.
        tenant = told(blog, "--drift")
        assert tenant["condition"] == "Degraded"
        assert {"Deployment", "ResourceQuota"} <= {difference["kind"] for difference in tenant["drift"]}
        ended = {"Exited", "CrashLoop"} & {reason["cause"] for reason in tenant["reasons"]}
        return bool(ended) and [LAST_WORDS] in [log["lines"] for log in tenant["logs"]]

    eventually("its end and its last words to be told", end_is_told, namespace=NAMESPACE)


LAST_WORDS = "these are my last words"
SAYS_AND_ENDS = ["sh", "-c", f"echo {LAST_WORDS}; exit 3"]


def test_what_is_asked_of_it_and_is_not_there_is_told(blog_stack: Stack) -> None:
    unknown = status(blog_stack, "e2e-blok")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr == "tenants.yaml: no tenant e2e-blok - did you mean e2e-blog?\n"
    context = blog_stack.siteforge("status", check=False, KUBECONFIG="/there/is/none")
    assert (context.returncode, context.stdout) == (1, "")
    assert "there/is/none" in context.stderr
    assert "Traceback" not in context.stderr
