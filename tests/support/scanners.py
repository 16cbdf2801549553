"""Judges of manifests that are not ours. Each takes a folder of YAML files and tells everything it finds wrong."""

import json
import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local import scanners, toolchain
from policy import rules

_DEADLINE_SECONDS = 300.0
_OF_A_PLATFORM = ("BC_API_KEY", "PRISMA_API_URL", "CKV_", "CHECKOV_")


@dataclass(frozen=True, order=True)
class Finding:
    """Something that a scanner finds wrong."""

    scanner: str
    check: str
    namespace: str
    object: str
    """Kind and name."""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.scanner} {self.check}: {self.namespace} {self.object} {self.detail}".strip()


def files(folder: Path) -> list[Path]:
    """All manifests below a folder."""
    found = sorted(folder.rglob("*.yaml"))
    assert found, folder
    return found


def read(folder: Path) -> list[dict[str, Any]]:
    """The objects in them."""
    return [yaml.load(path.read_text(), Loader=yaml.CSafeLoader) for path in files(folder)]


def ours(manifests: Iterable[rules.Manifest]) -> set[Finding]:
    """Our own rules."""
    found = set()
    for violation in rules.violations(manifests):
        kind, _, place = violation.where.partition(" ")
        namespace, _, name = place.partition("/")
        found.add(Finding("rules", violation.rule, namespace, f"{kind} {name}", violation.reason))
    return found


def kube_score(folder: Path) -> set[Finding]:
    """kube-score (github.com/zegl/kube-score): all its tests; no annotation may ignore one."""
    toolchain.ensure(["kube-score"])
    program = toolchain.folder("kube-score") / "bin" / "kube-score"
    strict = ["--all-default-optional", "--disable-ignore-checks-annotations", "--disable-optional-checks-annotations"]
    command: list[str | Path] = [
        program,
        "score",
        *strict,
        "--kubernetes-version",
        "v1.36",
        "-o",
        "json",
        *files(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_DEADLINE_SECONDS)
    assert done.returncode in (0, 1) and done.stdout, done.stderr
    found, scored = set(), json.loads(done.stdout)
    assert any(check["grade"] == _OK for one in scored for check in one["checks"]), "it must also find something right"
    for one in scored:
        meta = one["object_meta"]
        for check in one["checks"]:
            if not check["skipped"] and check["grade"] <= _WARNING:
                for comment in check["comments"] or [{"summary": "", "path": ""}]:
                    detail = f"{comment['path']} {comment['summary']}".strip()
                    named = f"{one['type_meta']['kind']} {meta['name']}"
                    found.add(Finding("kube-score", check["check"]["id"], meta.get("namespace", ""), named, detail))
    return found


_OK, _WARNING = 10, 5
"""Grades of kube-score (scorecard.Grade): 1 critical, 5 warning, 7 almost OK, 10 OK."""


@dataclass(frozen=True)
class Checkov:
    """What one run of checkov said."""

    passed: int
    skipped: int
    failed: set[tuple[Path, Finding]]
    """By file."""


def checkov(folder: Path) -> Checkov:
    """checkov (bridgecrewio/checkov) without its platform: no key, no download."""
    options = ["--framework", "kubernetes", "--skip-download", "--soft-fail", "--output", "json", "--compact"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(_OF_A_PLATFORM)}
    command: list[str | Path] = [scanners.python(), "-m", "checkov.main", "--directory", folder, *options]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_DEADLINE_SECONDS
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    summary, failed = told["summary"], set()
    assert summary["parsing_errors"] == 0, told
    for one in told["results"]["failed_checks"]:
        kind, namespace, name = (*one["resource"].split("."), "", "")[:3]
        finding = Finding("checkov", one["check_id"], namespace, f"{kind} {name}", one["check_name"])
        failed.add((Path(one["file_abs_path"]), finding))
    return Checkov(summary["passed"], summary["skipped"], failed)


def kubernetes_versions() -> list[str]:
    """The minor versions of Kubernetes whose schemas kubernetes-validate has, oldest first."""
    script = "import kubernetes_validate.utils as u; print(*map(u.major_minor, u.all_versions()))"
    done = subprocess.run([scanners.python(), "-c", script], capture_output=True, text=True, check=True)
    return list(dict.fromkeys(done.stdout.split()))


def schemas(paths: Sequence[Path], version: str) -> dict[Path, str]:
    """kubernetes-validate: what contradicts the API of this version of Kubernetes, unknown fields too, by file."""
    validate: list[str | Path] = [scanners.python(), "-m", "kubernetes_validate", "--strict"]
    command = [*validate, "--kubernetes-version", version, *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_DEADLINE_SECONDS)
    said = done.stdout + done.stderr
    judged = re.findall(r"^(INFO|WARN\w*|ERROR) +(\S+) (.*)$", said, re.MULTILINE)
    assert {Path(path) for _, path, _ in judged} >= set(paths), said
    return {Path(path): text for level, path, text in judged if level != "INFO"}
