import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from bench import chart, page
from bench.__main__ import RESULTS, main, plan
from bench.peers import PEERS
from bench.results import Results, Row, load
from local import paths
from local.paths import PROJECT
from local.steps import Failure

DOCS = PROJECT / "docs"


def test_the_page_and_its_charts_are_those_of_the_results(tmp_path: Path) -> None:
    page.write(load(DOCS / "bench" / RESULTS), tmp_path, RESULTS)
    for made in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert made.read_text() == (DOCS / made.relative_to(tmp_path)).read_text(), made.name


def test_what_was_cut_off_not_offered_or_failed_is_said() -> None:
    rows = [
        Row(50, "naive", "create", "cut off", "killed", seconds=900, cpu_seconds=1, peak_bytes=1),
        Row(50, "helm8", "drift_check", "not offered"),
        Row(50, "floor", "create", "failed", "exited with 1: a | b"),
    ]
    titles = {row.peer: row.peer for row in rows}
    text = page.text(Results("small run", "2026-11-29", {}, {}, {}, 23, titles, 900.0, rows), RESULTS)
    assert "| 50 | naive | > 900 |" in text
    assert "| 50 | helm8 | not offered |" in text
    assert "| 50 | floor | failed: exited with 1: a \\| b |" in text
    assert "**small run**" in text


def test_siteforge_is_divided_by_each_peer_and_a_bound_is_marked() -> None:
    rows = [
        Row(50, "siteforge", "create", "done", seconds=10),
        Row(50, "floor", "create", "done", seconds=5),
        Row(50, "naive", "create", "cut off", seconds=900),
    ]
    titles = {row.peer: row.peer for row in rows}
    text = page.text(Results("", "2026-11-29", {}, {}, {}, 24, titles, 900.0, rows), RESULTS)
    assert "| Create all tenants | 50 | 2 | < 0.0111 |" in text


def test_a_chart_is_a_picture_with_every_line_named() -> None:
    lines = {"floor": [(50, 1.0), (200, 4.0)], "a < b": [(50, 90.0)], "none": []}
    root = ElementTree.fromstring(chart.svg("Create", "s", lines))
    labels = [element.text for element in root.iter() if element.text]
    assert "floor: 4 s at 200" in labels
    assert "a < b: 90 s at 50" in labels
    assert not any(label.startswith("none") for label in labels)
    assert ElementTree.fromstring(chart.svg("Create", "s", {})) is not None


def test_everything_is_run_unless_the_environment_says_otherwise() -> None:
    chosen = plan({})
    assert (list(chosen.sizes), list(chosen.peers), chosen.deadline) == ([50, 200], list(PEERS), 900)
    chosen = plan({"BENCH_TENANTS": "200 25", "BENCH_PEERS": "helm8 floor", "BENCH_DEADLINE": "60"})
    assert (list(chosen.sizes), list(chosen.peers), chosen.deadline) == ([25, 200], ["floor", "helm8"], 60)
    chosen = plan({"BENCH_PEERS": "helm8@200 floor"})
    assert (list(chosen.peers), dict(chosen.most)) == (["floor", "helm8"], {"helm8": 200})


@pytest.mark.parametrize(
    "variables",
    [
        {"BENCH_PEERS": "ansible"},
        {"BENCH_TENANTS": "many"},
        {"BENCH_TENANTS": "1"},
        {"BENCH_DEADLINE": "0"},
        {"BENCH_PEERS": "floor@few"},
    ],
)
def test_a_mistake_is_told_with_its_fix(variables: dict[str, str]) -> None:
    with pytest.raises(Failure, match=next(iter(variables))) as caught:
        plan(variables)
    assert caught.value.fix


def test_the_clones_own_cluster_is_never_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paths, "STATE", paths.PROJECT / ".siteforge")
    assert main([]) == 1
    assert "fix: make bench" in capsys.readouterr().err
