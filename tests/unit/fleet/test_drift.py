import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from siteforge import configuration
from siteforge.errors import ClusterError, SettingsError
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.differences import Difference
from siteforge.fleet.drift import Objects, Report, compare, desired, drifted
from siteforge.fleet.kinds import BY_NAME, OURS, TENANT_KINDS
from siteforge.fleet.project import Project
from siteforge.specs.manifest import Manifest
from siteforge.tenant_spec import TenantSpec
from tests.support.servers import kubeconfig, serving

VALUES = {
    "catalogue": "tenants.yaml",
    "wordpressImage": "wordpress:6.8.3",
    "databaseImage": "mariadb:11.4",
    "imagePullPolicy": "Always",
    "secret": "s" * 40,
}


def specs(*names: str) -> list[TenantSpec]:
    lines = [{"name": name, "title": name, "adminEmail": "a@example.com", "plan": "nano"} for name in names]
    return [TenantSpec.model_validate(line, by_alias=True, by_name=False) for line in lines]


def fleet(*names: str, **values: str) -> dict[str, Objects]:
    settings = configuration.read(VALUES | values, {"secret"})
    return {spec.name: desired(settings, spec) for spec in specs(*names)}


def made(wanted: dict[str, Objects]) -> Objects:
    return {key: copy.deepcopy(one) for own in wanted.values() for key, one in own.items()}


def test_a_fleet_as_it_was_made_has_no_drift() -> None:
    wanted = fleet("aku", "lumi")
    assert compare(wanted, made(wanted)) == ({}, [])


def test_differences_are_told_by_tenant() -> None:
    wanted = fleet("aku", "lumi", "otava")
    live = made(wanted)
    del live["Service", "lumi", "wordpress"]
    live["ConfigMap", "aku", "wordpress"]["data"]["site.json"] = "{}"
    found, strays = compare(wanted, live)
    assert strays == []
    assert {name: [(one.kind, one.change) for one in differ] for name, differ in found.items()} == {
        "aku": [("ConfigMap", "changed")],
        "lumi": [("Service", "deleted")],
    }


def test_a_tenant_that_only_others_added_to_is_not_for_pulumi_to_mend() -> None:
    added = Difference("Service", "wordpress", "added", "metadata.labels.team", None, "x")
    deleted = Difference("Service", "wordpress", "deleted")
    assert Report(3, {"aku": [added], "lumi": [added, deleted]}, [], 17, 0.3).mendable == ["lumi"]


def ingress(tenant: str) -> Manifest:
    labels = {"app.kubernetes.io/part-of": "siteforge"}
    return {"kind": "Ingress", "metadata": {"name": "wordpress", "namespace": tenant, "labels": labels}}


def test_what_is_left_over_in_a_tenants_namespace_is_drift_if_it_has_our_label() -> None:
    wanted = fleet("aku")
    live = made(wanted) | {("Ingress", "aku", "wordpress"): ingress("aku")}
    found, _ = compare(wanted, live)
    assert [(one.kind, one.name, one.change) for one in found["aku"]] == [("Ingress", "wordpress", "added")]

    live["Ingress", "aku", "wordpress"]["metadata"]["labels"] = {}
    assert compare(wanted, live) == ({}, [])


def test_namespaces_of_tenants_that_nobody_asked_for_are_told_apart_from_others() -> None:
    wanted = fleet("aku")
    removed = made(fleet("gone"))
    label = {"app.kubernetes.io/part-of": "siteforge"}
    ours = {("Namespace", "", "siteforge"): {"kind": "Namespace", "metadata": {"name": "siteforge", "labels": label}}}
    elsewhere = {("Ingress", "shop", "wordpress"): ingress("shop")}
    found, strays = compare(wanted, made(wanted) | removed | ours | elsewhere)
    assert found == {}
    assert [one["metadata"]["name"] for one in strays] == ["gone"]


def test_a_fleet_that_waits_by_itself_wants_what_it_made() -> None:
    (awaited,), (not_awaited,) = fleet("aku").values(), fleet("aku", readiness="fleet").values()
    key = ("Deployment", "aku", "wordpress")
    assert "pulumi.com/skipAwait" not in awaited[key]["metadata"]["annotations"]
    assert not_awaited[key]["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"


class Server:
    """An API server that holds some objects, answers by pages and counts who asked for what."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.asked: list[str] = []
        self.broken: Callable[[str, dict[str, str]], tuple[int, str] | None] = lambda *_: None

    def answer(self, target: str) -> tuple[int, str]:
        self.asked.append(target)
        url = urlsplit(target)
        query = {key: value for key, (value,) in parse_qs(url.query).items()}
        if broken := self.broken(url.path, query):
            return broken
        namespace = url.path.split("/namespaces/")[1].split("/")[0] if "/namespaces/" in url.path else None
        kind = next(kind for kind in TENANT_KINDS if kind.path(namespace) == url.path)
        if kind.name == "HTTPRoute":
            return 404, '{"message": "the server could not find the requested resource"}'
        found = [
            {field: value for field, value in one.items() if field not in ("apiVersion", "kind")}
            for (of, where, name), one in sorted(self.objects.items())
            if of == kind.name and namespace in (None, where) and self.selected(one, name, query)
        ]
        start = int(query.get("continue", 0))
        page = found[start : start + int(query["limit"])]
        more = {"continue": str(start + len(page))} if start + len(page) < len(found) else {}
        return 200, json.dumps({"metadata": {"resourceVersion": "1", **more}, "items": page})

    @staticmethod
    def selected(one: Manifest, name: str, query: dict[str, str]) -> bool:
        part = one["metadata"].get("labels", {}).get("app.kubernetes.io/part-of")
        labels = {"": True, OURS: part == "siteforge", OURS.replace("=", "!="): part != "siteforge"}
        fields = query.get("fieldSelector", f"metadata.name={name}")
        return labels[query.get("labelSelector", "")] and fields == f"metadata.name={name}"


NAMES = ("aku", "lumi", "otava")


@pytest.fixture
def server() -> Server:
    return Server(made(fleet(*NAMES)))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path, "siteforge", "test")
    # What `pulumi config` would say and tenants.yaml would hold.
    found.__dict__.update(configuration=configuration.read(VALUES, {"secret"}), tenants=specs(*NAMES))
    return found


Check = Callable[..., Report]


@pytest.fixture
def check(server: Server, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    def check(*names: str) -> Report:
        with serving(server.answer) as address:
            monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, address)))
            with Cluster() as cluster:
                return drifted(project, cluster, names or None)

    return check


def test_a_fleet_is_read_by_one_list_a_kind(server: Server, check: Check) -> None:
    report = check()
    assert (report.clean, report.compared, report.requests) == (True, 3, len(TENANT_KINDS))
    assert len(server.asked) == len({target.partition("?")[0] for target in server.asked}) == len(TENANT_KINDS)


def test_the_number_of_requests_grows_by_pages_only(
    server: Server, project: Project, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siteforge.fleet.cluster.PAGE", 20)
    many = [f"t{number}" for number in range(20 + 1)]
    server.objects = {key: one for key, one in made(fleet(*many)).items() if key[0] in ("Namespace", "Secret")}
    project.__dict__["tenants"] = specs(*many)
    report = check()
    second_looks = len(TENANT_KINDS) - len({"Namespace", "Secret", "HTTPRoute", "Ingress", "Role", "RoleBinding"})
    second_looks -= 1  # no HorizontalPodAutoscaler either
    pages = {"Namespace": 2, "Secret": 3}
    assert report.requests == len(TENANT_KINDS) + sum(pages.values()) - len(pages) + second_looks
    assert all("Secret" not in {one.kind for one in found} for found in report.tenants.values())


def test_one_tenant_is_read_from_its_namespace_alone(server: Server, check: Check) -> None:
    server.objects["Service", "aku", "wordpress"]["metadata"]["labels"]["app.kubernetes.io/part-of"] = "others"
    report = check("aku")
    assert [(one.kind, one.field) for one in report.tenants["aku"]] == [
        ("Service", "metadata.labels[app.kubernetes.io/part-of]")
    ]
    assert report.requests == len(TENANT_KINDS)
    assert all("/namespaces/aku/" in target or "metadata.name%3Daku" in target for target in server.asked)


def test_some_tenants_are_compared_and_no_others(server: Server, check: Check) -> None:
    for name in NAMES:
        del server.objects["Service", name, "wordpress"]
    server.objects |= made(fleet("gone"))
    report = check("aku", "lumi", "aku")
    assert (report.compared, sorted(report.tenants), report.strays) == (2, ["aku", "lumi"], [])


def test_an_object_that_lost_the_label_is_changed_and_not_deleted(server: Server, check: Check) -> None:
    for key in [("Service", "aku", "wordpress"), ("Namespace", "", "lumi"), ("Secret", "lumi", "wordpress")]:
        del server.objects[key]["metadata"]["labels"]["app.kubernetes.io/part-of"]
    del server.objects["Service", "otava", "wordpress"]
    told = {(name, one.kind, one.change, one.field) for name, found in check().tenants.items() for one in found}
    label = "metadata.labels[app.kubernetes.io/part-of]"
    assert told == {
        ("aku", "Service", "changed", label),
        ("lumi", "Namespace", "changed", label),
        ("lumi", "Secret", "changed", label),
        ("otava", "Service", "deleted", ""),
    }


def test_a_deleted_namespace_costs_one_more_request(server: Server, check: Check) -> None:
    server.objects = {key: one for key, one in server.objects.items() if "aku" not in key}
    report = check()
    assert list(report.tenants) == ["aku"]
    assert len(report.tenants["aku"]) == len(fleet("aku")["aku"])
    assert report.requests == len(TENANT_KINDS) + 1


def test_a_namespace_that_the_catalogue_does_not_have_is_told(server: Server, check: Check) -> None:
    server.objects |= made(fleet("gone"))
    report = check()
    assert (report.clean, report.tenants, [one.name for one in report.strays]) == (False, {}, ["gone"])


def test_there_is_no_such_tenant(check: Check) -> None:
    with pytest.raises(SettingsError, match=r"^there is no tenant luni - did you mean lumi\?$"):
        check("aku", "luni")


def broken(answer: tuple[int, str], plural: str = "secrets", after: str = "") -> Callable[..., Any]:
    return lambda path, query: answer if path.endswith(plural) and query.get("continue", "") == after else None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((500, '{"message": "etcdserver: request timed out"}'), "refuses /api/v1/secrets .500.: etcdserver"),
        ((403, '{"message": "secrets is forbidden"}'), "secrets is forbidden - ask for the right"),
        ((404, "{}"), "knows nothing of secrets"),
        ((200, "<html>log in</html>"), "is no API server"),
        ((200, "[]"), "is no API server"),
        ((200, "{}"), "knows nothing of secrets"),
    ],
)
def test_one_list_that_can_not_be_had_is_no_verdict(
    server: Server, check: Check, answer: tuple[int, str], reason: str
) -> None:
    server.broken = broken(answer)
    with pytest.raises(ClusterError, match=reason):
        check()


def test_a_list_that_breaks_off_between_pages_is_no_verdict(
    server: Server, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siteforge.fleet.cluster.PAGE", 2)
    assert check().clean
    server.broken = broken((410, '{"message": "the continue parameter is too old"}'), after="4")
    with pytest.raises(ClusterError, match="continue parameter"):
        check()


def test_a_server_that_does_not_answer_is_no_verdict(check: Check, tmp_path: Path, project: Project) -> None:
    with serving(lambda _: (200, "{}")) as address:
        pass
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, address)))
        with Cluster() as cluster, pytest.raises(ClusterError, match="is the cluster up and reachable"):
            drifted(project, cluster)


def test_every_kind_that_a_tenant_may_have_is_read() -> None:
    wanted = fleet("aku")["aku"]
    assert {kind for kind, _, _ in wanted} <= {kind.name for kind in TENANT_KINDS} <= set(BY_NAME)
