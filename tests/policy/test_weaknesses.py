"""Every seeded weakness is caught by some judge; `build/weaknesses.md` says which by whom."""

import copy
import shutil
from collections import Counter
from pathlib import Path

import pytest
import yaml

from policy import rules
from tests.policy.conftest import ROOT
from tests.policy.weaknesses import WEAKNESSES, Manifests
from tests.support import scanners
from tests.support.scanners import Finding

TENANT = "blog-aku"
REPORT = ROOT / "build" / "weaknesses.md"
SCHEMA = "kubernetes-validate"
JUDGES = ("rules", "kube-score", "checkov", SCHEMA)

Caught = dict[str, dict[str, set[str]]]
"""The checks of each judge that find something more, by weakness."""


def file(name: str) -> str:
    return f"{name.replace(' ', '-')}.yaml"


def write(folder: Path, manifests: Manifests, sound: Manifests) -> list[Path]:
    """Write all objects; tells which are not the sound ones."""
    folder.mkdir()
    changed = []
    for name, manifest in manifests.items():
        path = folder / file(name)
        if manifest == sound.get(name):
            path.symlink_to(Path("..") / "sound" / path.name)
        else:
            path.write_text(yaml.safe_dump(manifest))
            changed.append(path)
    return changed


@pytest.fixture(scope="module")
def caught(everything: Path, tmp_path_factory: pytest.TempPathFactory) -> Caught:
    sound = {
        f"{one['kind']} {one['metadata']['name']}": one
        for one in scanners.read(everything)
        if one["metadata"].get("namespace", one["metadata"]["name"]) == TENANT
    }
    root = tmp_path_factory.mktemp("weaknesses")
    write(root / "sound", sound, {})
    all_weakened: dict[str, Manifests] = {}
    folders: dict[str, Path] = {}
    changed: list[Path] = []
    for number, (name, weaken) in enumerate(WEAKNESSES.items()):
        weakened = copy.deepcopy(sound)
        weaken(weakened)
        assert weakened != sound, name
        folders[name] = root / f"{number:02}"
        all_weakened[name] = weakened
        changed += write(folders[name], weakened, sound)
    # These two take seconds to start, and judge each object alone: one run, over the objects that were weakened.
    for path in changed:
        (root / "changed" / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / "changed" / path.parent.name)
    of_checkov = scanners.checkov(root / "changed").failed
    of_schema = scanners.schemas(changed, scanners.kubernetes_versions()[-1])
    usual = scanners.kube_score(root / "sound")
    assert scanners.ours(sound.values()) == set()
    found: Caught = {}
    for name, folder in folders.items():
        told: set[Finding] = scanners.ours(all_weakened[name].values()) | (_score(folder) - usual)
        told |= {finding for path, finding in of_checkov if path.parent.name == folder.name}
        checks = {judge: {finding.check for finding in told if finding.scanner == judge} for judge in JUDGES}
        checks[SCHEMA] = {"schema" for path in of_schema if path.parent == folder}
        found[name] = checks
    _report(found)
    return found


def _score(folder: Path) -> set[Finding]:
    try:
        return scanners.kube_score(folder)
    except AssertionError as error:
        # It reads manifests as an API server does, and gives up at a wrong type.
        return {Finding("kube-score", "unreadable", "", "", str(error))}


def _report(found: Caught) -> None:
    lines = [f"| weakness | {' | '.join(JUDGES)} |", f"|---|{'---|' * len(JUDGES)}"]
    for name, checks in found.items():
        lines.append(f"| {name} | {' | '.join(' '.join(sorted(checks[judge])) for judge in JUDGES)} |")
    by = Counter(judge for checks in found.values() for judge in JUDGES if checks[judge])
    lines.append(f"| caught of {len(found)} | {' | '.join(str(by[judge]) for judge in JUDGES)} |")
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


@pytest.mark.parametrize("weakness", WEAKNESSES)
def test_a_weakness_is_caught(caught: Caught, weakness: str) -> None:
    assert [judge for judge in JUDGES if caught[weakness][judge]] != []


def test_there_are_enough_weaknesses_and_every_rule_catches_one(caught: Caught) -> None:
    assert len(WEAKNESSES) >= 40
    assert rules.RULES.keys() - {check for checks in caught.values() for check in checks["rules"]} == set()
