import json
from collections import Counter
from pathlib import Path

from bench import fleet
from bench.fleet import Fleet
from siteforge import catalogue


def test_a_tenant_is_full_and_its_namespace_comes_first() -> None:
    manifests = Fleet(2).manifests("bench-0001")
    assert manifests[0]["kind"] == "Namespace"
    kinds = Counter(manifest["kind"] for manifest in manifests)
    assert {"Deployment", "StatefulSet", "Ingress", "Role", "RoleBinding", "ResourceQuota"} <= set(kinds)
    assert kinds["Service"] == 3
    assert kinds["NetworkPolicy"] == 4
    assert len(manifests) == 25


def test_the_catalogue_declares_the_same_tenants(tmp_path: Path) -> None:
    Fleet(3).write_catalogue(tmp_path)
    Fleet(3).change("bench-0002").remove("bench-0003").write_catalogue(tmp_path)
    specs = catalogue.load(tmp_path)
    assert [spec.name for spec in specs] == ["bench-0001", "bench-0002"]
    limits = [spec.wordpress.resources for spec in specs]
    assert limits[0] != limits[1]


def test_a_change_is_of_one_tenant_and_reaches_its_pods() -> None:
    def deployment(declared: Fleet, tenant: str) -> object:
        (found,) = (item for item in declared.manifests(tenant) if item["kind"] == "Deployment")
        return found

    before, after = Fleet(2), Fleet(2).change("bench-0001")
    assert deployment(before, "bench-0001") != deployment(after, "bench-0001")
    assert deployment(before, "bench-0002") == deployment(after, "bench-0002")


def test_files_follow_what_is_declared(tmp_path: Path) -> None:
    Fleet(2).write(tmp_path)
    assert fleet.read(tmp_path / "bench-0001.json") == json.loads(json.dumps(Fleet(2).manifests("bench-0001")))
    Fleet(2).remove("bench-0002").write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bench-0001.json"]
