from dataclasses import replace

from bench import targets
from bench.results import Results, Row

EMPTY = Results("", "2026-11-29", {}, {}, {}, 23, {}, 900.0)


def row(tenants: int, peer: str, work: str, seconds: float, **fields: object) -> Row:
    return replace(Row(tenants, peer, work, "done", seconds=seconds), **fields)  # type: ignore[arg-type]


def verdicts(*rows: Row) -> dict[str, str]:
    found = targets.judge(replace(EMPTY, rows=list(rows)))
    return {verdict.aim: verdict.verdict for verdict in found if verdict.verdict != "not measured"}


def test_nothing_is_said_of_what_was_not_measured() -> None:
    assert verdicts() == {}


def test_ratios_are_met_or_missed() -> None:
    peers = row(200, "floor", "create", 5), row(200, "helm8", "create", 19)
    assert list(verdicts(row(200, "siteforge", "create", 10), *peers).values()) == ["met", "missed"]


def test_a_peer_that_was_cut_off_took_at_least_its_deadline() -> None:
    naive = Row(200, "naive", "create", "cut off", seconds=900)
    assert list(verdicts(row(200, "siteforge", "create", 10), naive).values()) == ["met"]


def test_what_was_run_with_fewer_tenants_is_said_to_be() -> None:
    rows = row(200, "siteforge", "drift_check", 1), row(200, "refresh", "drift_check", 100)
    fewer = row(50, "siteforge", "drift_check", 1), row(50, "refresh", "drift_check", 10)
    assert list(verdicts(*fewer).values()) == ["missed with 50"]
    assert list(verdicts(*rows, *fewer).values()) == ["met with 200"]


def test_what_a_further_run_measured_with_those_that_are_aimed_at_counts_more_than_fewer_in_this_one() -> None:
    this = [row(size, "siteforge", "create", seconds) for size, seconds in ((500, 50), (1000, 100))]
    further = replace(EMPTY, rows=[row(500, "siteforge", "create", 50), row(5000, "siteforge", "create", 800)])
    found = targets.judge(replace(EMPTY, rows=this), {"results-5000.json": further})[-1]
    assert (found.value, found.verdict) == (0.625, "missed in results-5000.json")
    assert targets.judge(replace(EMPTY, rows=further.rows), {"results-other.json": further})[-1].verdict == "missed"


def test_bytes_are_compared_with_those_of_200_and_of_nothing_else() -> None:
    rows = [row(size, "siteforge", "create", size, backend_bytes=size * 10) for size in (50, 200, 500)]
    assert not [aim for aim in verdicts(*rows) if "bytes" in aim]
    found = verdicts(*rows, row(1000, "siteforge", "create", 9, backend_bytes=10_000))
    assert [said for aim, said in found.items() if "bytes" in aim] == ["met"]


def test_our_own_cut_off_work_meets_nothing() -> None:
    ours = Row(200, "siteforge", "create", "cut off", seconds=900)
    assert verdicts(ours, row(200, "floor", "create", 800)) == {}


def test_the_interpreters_start_is_taken_from_both_sides_of_a_drift_check() -> None:
    rows = [row(50, "interpreter", "no_op", 0.5), row(1000, "floor", "drift_check", 1.0)]
    assert list(verdicts(*rows, row(1000, "siteforge", "drift_check", 2.9)).values()) == ["met"]
    assert list(verdicts(*rows, row(1000, "siteforge", "drift_check", 3.1)).values()) == ["missed"]


def test_speed_may_not_fall() -> None:
    small = row(500, "siteforge", "create", 50)
    assert list(verdicts(small, row(5000, "siteforge", "create", 580)).values()) == ["met"]
    assert list(verdicts(small, row(5000, "siteforge", "create", 600)).values()) == ["missed"]
    failed = replace(row(5000, "siteforge", "create", 9), outcome="failed")
    assert list(verdicts(small, row(1000, "siteforge", "create", 100), failed).values()) == ["missed"]
