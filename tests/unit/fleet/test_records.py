import json
from pathlib import Path

import pytest

from siteforge import configuration
from siteforge.fleet import records
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.records import Program
from siteforge.tenant_spec import TenantSpec
from tests.support import servers

VALUES = {
    "catalogue": "tenants.yaml",
    "wordpressImage": "wordpress:1",
    "databaseImage": "mariadb:1",
    "imagePullPolicy": "Always",
    "secret": "s" * 40,
}
LINE = {"name": "blog-aku", "title": "T", "adminEmail": "a@example.com"}


def digest(line: dict[str, object] | None = None, program: str = "p", **values: str) -> str:
    spec = TenantSpec.model_validate(LINE | (line or {}), by_alias=True, by_name=False)
    return records.digest(spec, configuration.read(VALUES | values, {"secret"}), Program(program))


def test_the_same_tenant_has_the_same_digest() -> None:
    assert digest() == digest()
    assert len(digest()) == 16


@pytest.mark.parametrize(
    "change",
    [
        {"line": {"title": "U"}},
        {"line": {"credentialsVersion": 2}},
        {"line": {"wordpress": {"replicas": 2}}},
        {"program": "q"},
        {"wordpressImage": "wordpress:2"},
        {"databaseImage": "mariadb:2"},
        {"imagePullPolicy": "IfNotPresent"},
        {"ingressNamespace": "edge"},
        {"readiness": "fleet"},
        {"secret": "t" * 40},
    ],
)
def test_whatever_its_objects_depend_on_changes_it(change: dict[str, object]) -> None:
    assert digest(**change) != digest()  # type: ignore[arg-type]


def test_a_frozen_tenants_objects_depend_on_nothing_and_thawing_is_a_change() -> None:
    frozen = [digest({"frozen": True, **change}) for change in ({}, {"title": "Another"}, {"plan": "micro"})]
    assert len(set(frozen)) == 1
    assert frozen[0] != digest({})


def test_the_program_is_all_that_computes_objects_and_not_what_looks_at_them(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("one")
    (tmp_path / "Pulumi.yaml").write_text("name: siteforge")
    before = Program.of(tmp_path)
    assert Program.of(tmp_path) == before
    (tmp_path / "__main__.py").write_text("two")
    assert Program.of(tmp_path) != before


def test_after_a_run_the_record_has_what_is_done_and_not_what_failed_or_is_gone() -> None:
    old = {"kept": "1", "changed": "1", "gone": "1", "stuck": "1", "broken": "1"}
    done = {"changed": "2", "broken": "2", "new": "1"}
    now = records.updated(old, done, gone=["gone", "stuck"], failed=["stuck", "broken"])
    assert now == {"kept": "1", "changed": "2", "new": "1", "stuck": "", "broken": ""}


def test_a_stack_reads_its_own_record_in_one_request_however_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"data": {"project": "siteforge", "stack": "prod", "tenants": '{"blog-aku": "1"}'}}
    path = f"/api/v1/namespaces/siteforge/configmaps/{records.name('siteforge', 'prod')}"
    with servers.serving(lambda asked: (200, json.dumps(known)) if asked == path else (404, "{}")) as address:
        monkeypatch.setenv("KUBECONFIG", str(servers.kubeconfig(tmp_path, address)))
        with Cluster() as cluster:
            assert records.of(cluster, "siteforge", "prod") == {"blog-aku": "1"}
            assert records.of(cluster, "siteforge", "never-ran") is None
            assert cluster.requests == 2


def test_two_stacks_share_no_record() -> None:
    names = {records.name("siteforge", stack) for stack in ("prod", "Prod", "prod_a", "prod-a")}
    assert len(names) == 4
