"""Every rendered pod before the API server's own Pod Security admission, in a namespace labelled as a tenant's."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from local import rendering
from tests.support.commands import kubectl, run
from tests.support.scanners import read
from tests.support.stack import PREFIX, ROOT

NAMESPACE = f"{PREFIX}pods"


@pytest.fixture(scope="module")
def manifests(running_cluster: None, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What three catalogues render to: the repository's, and two that have every field between them."""
    folder = tmp_path_factory.mktemp("render")
    samples = ROOT / "tests" / "catalogue" / "valid"
    catalogues = [ROOT / "tenants.yaml", samples / "everything.yaml", samples / "reaching.yaml"]
    rendered = [rendering.render(path, folder / path.stem) for path in catalogues]
    return [one for path in rendered for one in read(path)]


@pytest.fixture(scope="module", autouse=True)
def namespace(manifests: list[dict[str, Any]]) -> Iterator[None]:
    """A namespace with the labels that tenants' have, and the identities that their pods name."""
    labels = next(one for one in manifests if one["kind"] == "Namespace")["metadata"]["labels"]
    create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
    for name in {pod["spec"]["serviceAccountName"] for pod in pods(manifests)}:
        create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": NAMESPACE}})
    yield
    kubectl("delete", "namespace", NAMESPACE, "--timeout=120s")


def create(document: dict[str, Any]) -> None:
    kubectl("apply", "-f", "-", stdin=json.dumps(document))


def pods(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pods that the workloads and jobs make, here; their priority classes are of a cluster that this one is not."""
    found = []
    for number, one in enumerate(manifests):
        spec = one["spec"]["jobTemplate"]["spec"] if one["kind"] == "CronJob" else one.get("spec", {})
        if "template" in spec:
            template = copy.deepcopy(spec["template"])
            template["spec"].pop("priorityClassName", None)
            metadata = template["metadata"] | {"name": f"pod-{number}", "namespace": NAMESPACE}
            found.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
    return found


def answer(pod: dict[str, Any]) -> tuple[int, str]:
    done = run(["kubectl", "apply", "--dry-run=server", "-f", "-"], stdin=json.dumps(pod), check=False)
    return done.returncode, done.stderr


def test_every_pod_is_let_in_without_a_warning(manifests: list[dict[str, Any]]) -> None:
    asked = pods(manifests)
    assert len(asked) == 25
    assert {answer(pod) for pod in asked} == {(0, "")}


def test_the_same_pods_are_turned_away_if_they_would_see_the_nodes_processes(manifests: list[dict[str, Any]]) -> None:
    for pod in pods(manifests):
        pod["spec"]["hostPID"] = True
        code, message = answer(pod)
        assert code != 0
        assert 'violates PodSecurity "restricted' in message
