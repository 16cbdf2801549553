"""The rendered manifests before others' judges, and ours: nothing is wrong but what policy/exceptions.yaml lists."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.toolchain import versions
from policy import rules
from tests.policy.conftest import ROOT
from tests.support import scanners
from tests.support.scanners import Finding

LISTED: list[Mapping[str, Any]] = yaml.safe_load((ROOT / "policy" / "exceptions.yaml").read_text())


@dataclass(frozen=True)
class Excepted:
    """One line of the list: a check of a scanner, for one object of every tenant."""

    scanner: str
    check: str
    object: str

    def covers(self, finding: Finding) -> bool:
        return (self.scanner, self.check, self.object) == (finding.scanner, finding.check, finding.object)


EXCEPTIONS = [
    Excepted(one["scanner"], check, target) for one in LISTED for check in one["checks"] for target in one["objects"]
]


def unexpected(findings: Iterable[Finding]) -> list[str]:
    return [str(one) for one in sorted(findings) if not any(known.covers(one) for known in EXCEPTIONS)]


kube_score = cache(scanners.kube_score)
checkov = cache(scanners.checkov)


@pytest.mark.parametrize("age", [0, 1, 2])
def test_the_newest_three_versions_of_kubernetes_know_every_field(rendered: Path, age: int) -> None:
    version = scanners.kubernetes_versions()[-1 - age]
    assert scanners.schemas(scanners.files(rendered), version) == {}


def test_the_local_clusters_version_of_kubernetes_is_among_them() -> None:
    assert versions.KUBERNETES.rpartition(".")[0] in scanners.kubernetes_versions()[-3:]


def test_checkov_fails_and_skips_nothing(rendered: Path) -> None:
    result = checkov(rendered)
    assert [f"{finding}" for _, finding in sorted(result.failed)] == []
    assert result.skipped == 0
    assert result.passed > 200


def test_kube_score_finds_nothing_critical_and_warns_of_nothing_but_what_is_excepted(rendered: Path) -> None:
    assert unexpected(kube_score(rendered)) == []


def test_our_own_rules_find_nothing(rendered: Path) -> None:
    assert sorted(map(str, scanners.ours(scanners.read(rendered)))) == []


def test_every_exception_is_needed_and_says_why(repository: Path, everything: Path, reaching: Path) -> None:
    found = kube_score(repository) | kube_score(everything) | kube_score(reaching)
    assert [one for one in EXCEPTIONS if not any(map(one.covers, found))] == []
    assert all(len(one["reason"]) > 40 for one in LISTED)


def test_the_docs_show_every_rule_and_every_exception() -> None:
    text = " ".join((ROOT / "docs" / "policy.md").read_text().split())
    for name, promise in rules.RULES.items():
        assert f"| `{name}` | {promise} |" in text
    for one in LISTED:
        assert " ".join(one["reason"].split()) in text
        assert all(f"`{check}`" in text for check in one["checks"])
