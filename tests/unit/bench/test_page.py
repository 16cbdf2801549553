import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from bench import chart, page
from bench.__main__ import main, plan, results_name
from bench.page import MAIN
from bench.peers import PEERS
from bench.results import WORKS, Results, Row
from local import paths
from local.paths import PROJECT
from local.steps import Failure

DOCS = PROJECT / "docs"


def test_the_page_and_its_charts_are_those_of_the_results(tmp_path: Path) -> None:
    written = [*DOCS.glob("bench/results*.json"), DOCS / "bench" / "causes.md"]
    (tmp_path / "bench").mkdir()
    for path in written:
        shutil.copy(path, tmp_path / "bench")
    page.write(tmp_path)
    names = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    for name in names:
        assert (tmp_path / name).read_text() == (DOCS / name).read_text(), name
    assert names >= {path.relative_to(DOCS) for path in DOCS.glob("bench/*")}


def test_a_further_run_follows_with_its_own_charts(tmp_path: Path) -> None:
    rows = [Row(size, "siteforge", "create", "done", seconds=size) for size in (500, 5000)]
    found = Results("", "2026-11-29", {}, {}, {}, 25, {"siteforge": "Siteforge"}, 900.0, rows)
    text = page.text({MAIN: found, "results-5000.json": found})
    assert "# A further run: 500 and 5,000 tenants\n\nMade from [results-5000.json](bench/results-5000.json)" in text
    assert text.count("(bench/create.svg)") == text.count("(bench/create-5000.svg)") == 1
    assert text.count("create 5,000: at least 0.85 of the speed of 500 | 1 | met") == 2
    further = text.partition("# A further run")[2]
    assert "not measured" in text and "not measured" not in further


def test_what_was_cut_off_not_offered_or_failed_is_said() -> None:
    rows = [
        Row(50, "naive", "create", "cut off", "killed", seconds=900, cpu_seconds=1, peak_bytes=1),
        Row(50, "helm8", "drift_check", "not offered"),
        Row(50, "floor", "create", "failed", "exited with 1: a | b"),
    ]
    titles = {row.peer: row.peer for row in rows}
    text = page.text({MAIN: Results("small run", "2026-11-29", {}, {}, {}, 23, titles, 900.0, rows)})
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
    text = page.text({MAIN: Results("", "2026-11-29", {}, {}, {}, 24, titles, 900.0, rows)})
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
    assert list(plan({}).works) == list(WORKS)
    assert list(plan({"BENCH_WORKS": "change_one create"}).works) == ["create", "change_one"]


@pytest.mark.parametrize(
    "variables",
    [
        {"BENCH_PEERS": "ansible"},
        {"BENCH_TENANTS": "many"},
        {"BENCH_TENANTS": "1"},
        {"BENCH_WORKS": "no_op"},
        {"BENCH_WORKS": "create destroy"},
        {"BENCH_DEADLINE": "0"},
        {"BENCH_PEERS": "floor@few"},
    ],
)
def test_a_mistake_is_told_with_its_fix(variables: dict[str, str]) -> None:
    with pytest.raises(Failure, match=next(iter(variables))) as caught:
        plan(variables)
    assert caught.value.fix


def test_results_have_a_name_by_which_the_page_finds_them() -> None:
    assert results_name({}) == MAIN
    assert results_name({"BENCH_RESULTS": "results-5000.json"}) == "results-5000.json"
    for name in ("5000.json", "results.txt", "../results.json", "results-.json"):
        with pytest.raises(Failure, match="BENCH_RESULTS") as caught:
            results_name({"BENCH_RESULTS": name})
        assert caught.value.fix


def test_the_clones_own_cluster_is_never_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paths, "STATE", paths.PROJECT / ".siteforge")
    assert main([]) == 1
    assert "fix: make bench" in capsys.readouterr().err
