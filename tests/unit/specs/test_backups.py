from typing import Any

from siteforge.specs import runner
from siteforge.specs.backups import Scheduled, manifests
from siteforge.specs.runner import Runner

OPTIONS = ("--to", "/backups", "--keep", "7")


def made(folder: str | None = "/backups") -> dict[str, Any]:
    own = Runner("siteforge-backups", "siteforge:1", "prod", "siteforge", {"tenants.yaml": "tenants: []"})
    scheduled = Scheduled(own, "15 2 * * *", OPTIONS, folder, "20Gi")
    return {one["kind"]: one for one in manifests(scheduled)}


def pod(folder: str | None = "/backups") -> dict[str, Any]:
    spec: dict[str, Any] = made(folder)["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return spec


def test_a_round_begins_by_the_clock_and_never_beside_another() -> None:
    spec = made()["CronJob"]["spec"]
    assert (spec["schedule"], spec["concurrencyPolicy"]) == ("15 2 * * *", "Forbid")
    job = spec["jobTemplate"]["spec"]
    assert job["backoffLimit"] == 0, "one tenant's failure would have all backed up again"
    assert job["activeDeadlineSeconds"] < 24 * 3600, "one that hangs may not keep tomorrow's from beginning"
    (container,) = pod()["containers"]
    assert container["args"][-len(OPTIONS) :] == list(OPTIONS)
    assert container["args"][:7] == ["siteforge", "--log-level", "info", "backup", "--all", "--stack", "prod"]


def test_it_may_list_pods_and_run_commands_in_them_and_nothing_else() -> None:
    rules = made()["ClusterRole"]["rules"]
    allowed = {(resource, verb) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}
    assert allowed == {("pods", "list"), ("pods/exec", "get"), ("pods/exec", "create")}
    assert "Role" not in made()


def test_its_pod_is_restricted_and_no_secret_is_printed() -> None:
    assert pod()["securityContext"]["runAsUser"] == runner.USER
    (container,) = pod()["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert made()["Namespace"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert "Secret" not in made()


def test_a_folder_is_a_volume_of_its_own() -> None:
    assert made()["PersistentVolumeClaim"]["spec"]["resources"]["requests"]["storage"] == "20Gi"
    (container,) = pod()["containers"]
    assert {"name": "backups", "mountPath": "/backups"} in container["volumeMounts"]
    assert "envFrom" not in container


def test_a_buckets_credentials_come_from_a_secret_and_no_volume_is_made() -> None:
    assert "PersistentVolumeClaim" not in made(None)
    (container,) = pod(None)["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "siteforge-backups-bucket"}}]
