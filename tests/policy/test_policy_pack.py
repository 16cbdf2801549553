"""The policy pack in the real engine: it lets our own program through, and stops a careless one before it runs."""

import shutil
import textwrap
from pathlib import Path

import pytest

from local import scanners
from tests.policy.conftest import ROOT
from tests.support.stack import Stack

CARELESS = """
import pulumi
import pulumi_kubernetes as kubernetes
from siteforge import Tenant, TenantArgs, rendering

options = pulumi.ResourceOptions(provider=rendering.provider("manifests"))
Tenant("blog-aku", TenantArgs(title="Aku", admin_email="aku@example.com", secret="s" * 40), options)
container = {"name": "backup", "image": "busybox", "env": [{"name": "DB_PASSWORD", "value": "hunter2"}]}
kubernetes.core.v1.Pod(
    "backup",
    metadata={"name": "backup", "namespace": "backups"},
    spec={"containers": [container], "volumes": [{"name": "all", "hostPath": {"path": "/"}}]},
    opts=options,
)
"""


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The policy pack, with a Python that has pulumi-policy."""
    folder = tmp_path_factory.mktemp("pack") / "policy"
    shutil.copytree(ROOT / "policy", folder, ignore=shutil.ignore_patterns("venv", "__pycache__"))
    description = folder / "PulumiPolicy.yaml"
    environment = scanners.python().parents[1]
    description.write_text(description.read_text().replace("virtualenv: venv", f"virtualenv: {environment}"))
    return folder


@pytest.fixture
def stack(repository: Path, tmp_path: Path) -> Stack:
    """A stack that needs no cluster."""
    stack = Stack(tmp_path / "project", "policies")
    stack.configure("render", str(tmp_path / "manifests"))
    shutil.copy(ROOT / "tenants.yaml", stack.folder)
    return stack


def preview(stack: Stack, pack: Path) -> tuple[int, str]:
    done = stack.pulumi("preview", "--suppress-progress", "--policy-pack", str(pack), check=False)
    return done.returncode, done.stdout + done.stderr


def test_our_own_program_passes(stack: Stack, pack: Path) -> None:
    code, output = preview(stack, pack)
    assert code == 0, output
    assert "siteforge" in output.partition("Policies:")[2], output
    assert "mandatory" not in output


def test_a_careless_program_is_stopped_and_told_every_rule_it_breaks(stack: Stack, pack: Path) -> None:
    (stack.folder / "__main__.py").write_text(textwrap.dedent(CARELESS))
    code, output = preview(stack, pack)
    assert code != 0
    for rule, message in (
        ("no-plain-secrets", "Pod backups/backup: container backup: DB_PASSWORD stands there in plain text"),
        ("volumes", "Pod backups/backup: volume all is a hostPath"),
        ("image-pinned", "Pod backups/backup: container backup: an image that changes by itself: busybox"),
        ("closed-network", "Pod backups/backup: its namespace has no policy that closes the network"),
        ("own-identity", "Pod backups/backup: shares the namespace's default ServiceAccount"),
    ):
        assert rule in output, output
        assert message in output, output
    assert "hunter2" not in output
    assert "blog-aku/" not in output.partition("Policies:")[2]
