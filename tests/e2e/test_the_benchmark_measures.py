"""A small run of `make bench`, beside whatever else runs: results are asserted, times are not."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from bench.fleet import Fleet
from bench.results import WORKS, Results, load
from local.paths import PROJECT

TENANTS = 25
STATE = PROJECT / ".siteforge" / "bench-test"
"""A cluster of its own. What a crashed run left in it is removed by the next one's start."""


def bench(output: Path) -> Results:
    environment = os.environ | {
        "SITEFORGE_STATE": str(STATE),
        "BENCH_TENANTS": str(TENANTS),
        "BENCH_PEERS": "floor helm8",
        "BENCH_DEADLINE": "300",
        "BENCH_OUTPUT": str(output),
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return load(output / "bench" / "results.json")


def processes() -> list[str]:
    """The command lines of all processes that know the state folder."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in lines if str(STATE) in line]


def test_two_peers_do_every_work_on_the_same_objects_and_nothing_is_left(tmp_path: Path) -> None:
    results = bench(tmp_path)
    rows = {(row.peer, row.work): row for row in results.rows}
    assert set(rows) == {(peer, work) for peer in ("floor", "helm8") for work in WORKS}
    reasons = {key: row.reason for key, row in rows.items()}
    for key in (("helm8", "drift_check"), ("helm8", "status"), ("floor", "status")):
        assert rows.pop(key).outcome == "not offered"
    # A row is done only if all tenants were ready and the objects, field by field, as declared (bench.harness).
    assert {row.outcome for row in rows.values()} == {"done"}, reasons
    for key, row in rows.items():
        assert row.seconds is not None and row.command_seconds is not None, key
        assert 0 < row.command_seconds <= row.seconds, key
        assert row.cpu_seconds and row.peak_bytes and row.peak_bytes > 2**20, key
        # No sum to hold it against: discovery and OpenAPI are dispatched, but not counted by verb.
        assert row.own_requests and row.requests, key
        assert row.control_plane_cpu_seconds["kube-apiserver"] >= 0, key
    objects = TENANTS * len(Fleet(1).manifests("bench-0001"))
    assert rows["floor", "create"].requests["APPLY"] >= objects
    assert rows["floor", "create"].own_requests in range(objects, objects + 50)
    # A LIST a kind, however many objects there are.
    assert rows["floor", "drift_check"].own_requests == len(
        {(m["apiVersion"], m["kind"]) for m in Fleet(1).manifests("bench-0001")}
    )
    assert rows["helm8", "create"].requests["POST"] >= objects
    assert (tmp_path / "performance.md").read_text().startswith("# Performance")
    assert (tmp_path / "bench" / "create.svg").exists()

    assert not (STATE / "cluster").exists()
    assert not (STATE / "peer").exists()
    assert processes() == []
