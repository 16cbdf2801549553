"""`make render`: what is in the files, and what is not."""

import base64
import shutil
from pathlib import Path
from urllib.parse import quote

from local import rendering
from siteforge import catalogue, secrets
from siteforge.configuration import PLACEHOLDER
from siteforge.rendering import REDACTED
from tests.policy.conftest import EVERYTHING, ROOT
from tests.support.scanners import files, read

ALWAYS = {
    *("Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "Deployment", "StatefulSet", "Service", "Secret"),
    *("ConfigMap", "PersistentVolumeClaim", "ServiceAccount", "PodDisruptionBudget", "CronJob"),
}


def contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in files(folder)}


def test_every_tenant_of_the_catalogue_is_rendered_whole(repository: Path, everything: Path) -> None:
    for folder, path, extra in (
        (repository, ROOT / "tenants.yaml", set[str]()),
        (everything, EVERYTHING, {"Role", "RoleBinding", "HorizontalPodAutoscaler"}),
    ):
        manifests = read(folder)
        names = {tenant.name for tenant in catalogue.load(path)}
        found = {
            one["metadata"]["name"] if one["kind"] == "Namespace" else one["metadata"]["namespace"] for one in manifests
        }
        assert found == names
        for name in names:
            kinds = {one["kind"] for one in manifests if one["metadata"].get("namespace", name) == name}
            assert kinds >= ALWAYS
        assert {one["kind"] for one in manifests} == ALWAYS | extra


def test_rendering_twice_gives_the_same_bytes_and_keeps_nothing_of_tenants_that_are_gone(
    repository: Path, everything: Path, tmp_path: Path
) -> None:
    again = tmp_path / "manifests"
    shutil.copytree(everything, again)
    rendering.render(manifests=again)
    assert contents(again) == contents(repository)
    assert [path.name for path in tmp_path.iterdir()] == ["manifests"]


def test_no_secret_is_rendered(rendered: Path) -> None:
    data = [one["data"] for one in read(rendered) if one["kind"] == "Secret"]
    assert {value for one in data for value in one.values()} == {REDACTED}
    text = "".join(path.read_text() for path in files(rendered))
    for path in (ROOT / "tenants.yaml", EVERYTHING):
        for tenant in catalogue.load(path):
            known = secrets.derive(PLACEHOLDER, tenant.name, tenant.credentials_version)
            for value in (known.admin_password, known.database_password, *known.salts.values()):
                for spelled in (value, quote(value, safe=""), base64.b64encode(value.encode()).decode()):
                    assert spelled not in text
