import json
from pathlib import Path
from typing import Any

import pytest

from siteforge.cli.drift import data, lines
from siteforge.fleet.differences import HIDDEN, Actor, Difference
from siteforge.fleet.drift import Report
from tests.support.cli import siteforge

EDITOR = Actor("kubectl-edit", "Update", "", "2026-11-29T00:47:55Z")
SCALER = Actor("kubectl", "Update", "scale", "")


def report(*found: Difference, strays: int = 0) -> Report:
    unknown = [Difference("Namespace", f"gone-{number}", "added", by=EDITOR) for number in range(strays)]
    return Report(3, {"aku": list(found)} if found else {}, unknown, 17, 0.34)


def test_a_clean_fleet_is_one_line() -> None:
    assert list(lines(report())) == ["3 tenants, no drift (17 requests, 0.3 s)"]


def test_every_difference_is_a_line_with_who_made_it_and_when() -> None:
    found = (
        Difference("Service", "wordpress", "deleted"),
        Difference("Service", "mariadb", "deleted", "metadata.deletionTimestamp", found="2026-11-29T00:47:55Z"),
        Difference("Deployment", "wordpress", "changed", "spec.replicas", 1, 5, SCALER),
        Difference("Deployment", "wordpress", "changed", "spec.paused", True, None),
        Difference("NetworkPolicy", "wordpress", "added", "spec.egress[0].ports", None, [{"port": 25}], EDITOR),
        Difference("Secret", "wordpress", "changed", "data.admin-password", HIDDEN, HIDDEN, EDITOR),
        Difference("Ingress", "old", "added", by=EDITOR),
    )
    assert list(lines(report(*found, strays=1))) == [
        "aku:",
        "  Service/wordpress: deleted",
        "  Service/mariadb: being deleted since 2026-11-29T00:47:55Z",
        "  Deployment/wordpress: spec.replicas: 1 -> 5 (by kubectl through scale)",
        "  Deployment/wordpress: spec.paused: true -> nothing",
        '  NetworkPolicy/wordpress: spec.egress[0].ports: added [{"port": 25}] (by kubectl-edit, 2026-11-29T00:47:55Z)',
        "  Secret/wordpress: data.admin-password: differs (by kubectl-edit, 2026-11-29T00:47:55Z)",
        "  Ingress/old: added (by kubectl-edit, 2026-11-29T00:47:55Z)",
        "Namespace/gone-0: the catalogue has no such tenant (by kubectl-edit, 2026-11-29T00:47:55Z)",
        "1 of 3 tenants drifted, 1 namespace without a tenant (17 requests, 0.3 s)"
        " - `siteforge up --drifted` sets it back;"
        " what others added is to be removed by hand (docs/drift.md);"
        " `siteforge up` deletes namespaces that it made, others are to be deleted by hand",
    ]


def test_the_fix_is_about_what_was_found() -> None:
    (*_, changed) = lines(report(Difference("Service", "wordpress", "deleted")))
    assert changed.endswith(" - `siteforge up --drifted` sets it back")
    (*_, added) = lines(report(Difference("Service", "wordpress", "added", "metadata.labels.team", None, "x")))
    assert added.endswith(" - what others added is to be removed by hand (docs/drift.md)")
    (*_, summary) = lines(report(strays=1))
    assert summary.startswith("1 namespace without a tenant (")


def test_a_deleted_namespace_is_one_line_and_not_one_for_all_that_was_in_it() -> None:
    found = [Difference("Namespace", "aku", "deleted"), Difference("Service", "wordpress", "deleted")]
    shown = list(lines(report(*found)))
    assert shown[:2] == ["aku:", "  Namespace/aku: deleted, with all that was in it"]
    assert len(shown) == 3


def test_of_long_texts_the_first_line_that_differs_is_shown() -> None:
    wanted = "<?php\n" + "// the same\n" * 50 + "echo 1;\n"
    change = Difference("ConfigMap", "wordpress", "changed", "data[site.php]", wanted, wanted.replace("1", "2"))
    assert next(line for line in lines(report(change)) if "ConfigMap" in line) == (
        "  ConfigMap/wordpress: data[site.php]: line 52: echo 1; -> line 52: echo 2;"
    )


def test_what_others_wrote_is_shown_on_one_line_and_without_escape_sequences() -> None:
    evil = "\x1b[31m\nlumi: no drift"
    actor = Actor(evil, "Update", evil, evil)
    change = Difference("Service", evil, "added", evil, None, {evil: evil}, actor)
    shown = list(lines(report(change)))
    assert len(shown) == 3
    assert "\x1b" not in "".join(shown)
    assert "\n" not in "".join(shown)


def test_json_has_every_field() -> None:
    change = Difference("Deployment", "wordpress", "changed", "spec.replicas", 1, 5, EDITOR)
    assert json.loads(json.dumps(data(report(change)))) == {
        "compared": 3,
        "tenants": {
            "aku": [
                {
                    "kind": "Deployment",
                    "name": "wordpress",
                    "change": "changed",
                    "field": "spec.replicas",
                    "wanted": 1,
                    "found": 5,
                    "by": {
                        "manager": "kubectl-edit",
                        "operation": "Update",
                        "subresource": "",
                        "time": "2026-11-29T00:47:55Z",
                    },
                }
            ]
        },
        "strays": [],
        "requests": 17,
        "seconds": 0.34,
        "frozen": {},
    }


@pytest.mark.parametrize("arguments", [[], ["--output", "json"]])
def test_without_a_project_there_is_no_verdict(tmp_path: Path, arguments: list[str]) -> None:
    done: Any = siteforge("drift", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no Pulumi.yaml here or above" in done.stderr
