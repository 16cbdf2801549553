import re

import pytest

from bench import scale
from bench.results import Results, Row
from local.steps import Failure

MACHINE = {"processor": "one", "cores": "2"}
WORKS = ("no_op", "change_one", "status", "drift_check")


def row(tenants: int, work: str, seconds: float) -> Row:
    return Row(
        tenants,
        "siteforge",
        work,
        "done",
        seconds=seconds,
        backend_bytes=tenants * 1_000_000,
        control_plane_cpu_seconds={"kube-apiserver": tenants * 0.5},
    )


def results(*sizes: int) -> Results:
    rows = [row(size, work, 1 + size / 100) for size in sizes for work in ("create", *WORKS)]
    return Results("", "2026-11-29", MACHINE, {}, {}, 25, {}, 900.0, rows)


def test_the_figures_are_those_of_the_slopes() -> None:
    text = scale.text(results(50, 100, 200), "results.json")
    assert "From 100 to 200 tenants" in text
    assert "| make all | 2.0 s, 3.0 s | 10.0 ms | 27 s |" in text
    assert "2.6 GB a cluster" in text
    assert "0.50 s of its CPU for each tenant" in text


def test_the_clusters_hold_all_tenants_below_every_bound() -> None:
    text = scale.text(results(50, 100), "results.json")
    (planned,), (clusters,) = (
        re.findall(r"\*\*([\d,]+) tenants a cluster", text),
        re.findall(r"(\d+)\nclusters|(\d+) clusters", text),
    )
    tenants = int(planned.replace(",", ""))
    assert tenants * int(next(filter(None, clusters))) >= scale.TENANTS
    bounds = [int(found.replace(",", "")) for found in re.findall(r"\| ([\d,]+) \|$", text, re.MULTILINE)[:3]]
    assert bounds and tenants <= min(bounds)


def test_one_number_of_tenants_makes_no_slope() -> None:
    with pytest.raises(Failure, match="two numbers of tenants"):
        scale.text(results(50), "results.json")
