import json
import shlex
from dataclasses import replace
from typing import Any

import pytest

from siteforge import targets
from siteforge.fleet.engine import Outcome, Run, event

ALONE = Run("prod", ("blog-aku",), confined=True)
DEPLOYMENT = targets.urns("prod", "siteforge", "blog-aku")[-4]


def diagnostic(urn: str, message: str, severity: str = "error") -> dict[str, Any]:
    return {"diagnosticEvent": {"urn": urn, "message": message, "severity": severity, "color": "never"}}


def test_a_confined_run_is_so_by_the_variable_that_the_program_reads() -> None:
    variables = ALONE.environment("siteforge")
    assert targets.names(variables) == {"blog-aku"}
    assert Run("prod", ("blog-aku",), confined=False).environment("siteforge") == {}


def test_the_line_for_a_shell_is_the_command_and_its_variables() -> None:
    words = shlex.split(ALONE.line("up", "siteforge"))
    assert words[0] == f"{targets.VARIABLE}={ALONE.environment('siteforge')[targets.VARIABLE]}"
    assert words[1:] == ALONE.command("up")
    assert words[1:5] == ["pulumi", "up", "--stack", "prod"]


def test_a_preview_changes_nothing() -> None:
    assert ALONE.command("preview")[:2] == ["pulumi", "preview"]
    assert "--yes" not in ALONE.command("preview")


def test_a_failure_is_put_down_to_its_tenant_with_its_reason_once() -> None:
    outcome = Outcome(ALONE, code=255)
    for told in (
        {"resOpFailedEvent": {"metadata": {"urn": DEPLOYMENT}}},
        diagnostic(DEPLOYMENT, "<{%reset%}>the API\n  server refused<{%reset%}>"),
        diagnostic(DEPLOYMENT, "<{%reset%}>the API\n  server refused<{%reset%}>"),
        diagnostic(DEPLOYMENT, "just so you know", "warning"),
    ):
        outcome.note(told)
    assert outcome.failed == {"blog-aku": ["the API server refused"]}
    assert outcome.problems == []


@pytest.mark.parametrize("urn", ["", "urn:pulumi:prod::siteforge::pulumi:pulumi:Stack::siteforge-prod"])
def test_a_failure_of_no_tenant_is_one_of_the_run(urn: str) -> None:
    outcome = Outcome(ALONE, code=255)
    outcome.note(diagnostic(urn, "the passphrase is wrong"))
    outcome.note(diagnostic(urn, "update failed"))
    assert (outcome.failed, outcome.problems) == ({}, ["the passphrase is wrong"])


def test_a_resource_that_is_done_is_told_with_its_tenant() -> None:
    outcome = Outcome(ALONE)
    assert outcome.note({"resOutputsEvent": {"metadata": {"urn": DEPLOYMENT}}}) == "blog-aku"
    assert outcome.note({"summaryEvent": {"resourceChanges": {"update": 1, "same": 3}}}) == ""
    assert outcome.changes == {"update": 1, "same": 3}


@pytest.mark.parametrize(
    "said",
    [
        {"resOutputsEvent": {"metadata": {"op": "same", "urn": DEPLOYMENT, "new": {"outputs": {"urn": "another"}}}}},
        {"resOutputsEvent": {"metadata": {"urn": DEPLOYMENT, "op": "same"}}},
        {"resourcePreEvent": {"metadata": {"op": "update", "urn": DEPLOYMENT, "old": {}}}},
        {"resOpFailedEvent": {"metadata": {"op": "update", "urn": DEPLOYMENT, "old": {}}}},
        diagnostic(DEPLOYMENT, 'it said "no"'),
        {"summaryEvent": {"resourceChanges": {"update": 1}}},
    ],
)
def test_a_line_of_the_log_says_the_same_without_the_states_in_it(said: dict[str, Any]) -> None:
    line = json.dumps({"sequence": 7, "timestamp": 1795939413, **said}, separators=(",", ":"))
    short, whole = Outcome(ALONE), Outcome(ALONE)
    assert short.note(event(line)) == whole.note(json.loads(line))
    assert short == whole


def test_what_a_resource_looks_like_is_not_read() -> None:
    metadata = {"op": "same", "urn": DEPLOYMENT, "new": {"outputs": {}}}
    line = json.dumps({"sequence": 7, "timestamp": 1, "resOutputsEvent": {"metadata": metadata}}, separators=(",", ":"))
    assert event(line) == {"resOutputsEvent": {"metadata": {"urn": DEPLOYMENT}}}


def test_the_heaps_of_a_run_are_limited_by_the_size_of_its_stack() -> None:
    assert "GOMEMLIMIT" not in ALONE.tuned
    assert replace(ALONE, size=5).tuned["GOMEMLIMIT"] == "250MiB"
    assert replace(ALONE, size=50).tuned["GOMEMLIMIT"] == "500MiB"


def test_pulumi_is_given_only_variables_that_it_reads() -> None:
    # Of options that are numbers it takes none as PULUMI_OPTION_...: it panics.
    assert not [name for name in ALONE.tuned if name.startswith("PULUMI_OPTION_")]
    assert ALONE.tuned["PULUMI_PARALLEL"] == "32"
