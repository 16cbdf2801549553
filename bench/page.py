"""docs/performance.md and its charts, and docs/scale.md, made from the results of one run or more and nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench import chart, scale, targets
from bench.results import WORKS, Results, Row, load

_TITLES = {
    "create": "Create all tenants",
    "no_op": "Nothing to do",
    "change_one": "Change one tenant",
    "status": "Tell how all tenants are",
    "drift_check": "Drift check",
    "repair": "Repair one per cent that drifted",
    "delete_one": "Delete one tenant",
}

_HEAD = """# Performance

Made by `make bench` from [{json}](bench/{json}); not written by hand. `BENCH_TENANTS="50 200 1000"`,
`BENCH_PEERS="floor siteforge helm8@200"` (that one with 200 tenants at most), `BENCH_WORKS="create change_one"` and
`BENCH_DEADLINE=900` (seconds for a piece of work) choose what is run; `BENCH_RESULTS=results-5000.json` keeps it as a
further run, beside this one.
{label}
One harness, one run. Every peer declares the same full tenants of plan nano ({objects} objects each, with owners, a
domain and TLS) on a fresh cluster of simulated nodes (KWOK), and is held to the same guarantee: a piece of work is over
when each tenant's Deployment and StatefulSet are ready and each of its Services has a ready endpoint; what a tool
doesn't wait for itself is waited for by the harness, on the clock. After each, objects are compared with what is
declared.

{facts}
Volumes are there before they are claimed, as a storage driver isn't what is measured. `> X` is a piece of work that was
cut off at its deadline, and what would have come after it was left out.

Wall seconds last until the guarantee holds. CPU seconds are those of the tool with all its processes (the kernel's own
sums), apart from those of the control plane. Memory is the resident set of all the tool's processes together at its
highest, sampled five times a second. Requests of the tool are counted by the API server (flow schema of the tool's
user); those by verb are everybody's, the controllers' among them; there a watch counts when it ends, and discovery
doesn't count. Bytes to the backend are the sizes of all files that were finished in the state's folder (inotify);
kubectl and the floor keep no state, and Helm keeps its own in the cluster, where it is not counted.

OpenTofu is missing: it is to be had as a Go module, but of its Kubernetes provider only releases up to 1.13.4 of 2021
are, which know neither the PodDisruptionBudget nor the Ingress that Kubernetes has today.
"""

_FACTS = """- **Run**: {date}, {machine}.
- **Versions**: {versions}.
- **Cluster**: {cluster}.
- **Deadline** of a piece of work: {deadline:.0f} s.
"""

_FURTHER = """
# A further run: {sizes} tenants

Made from [{json}](bench/{json}).
{label}
{facts}"""

_PROGRAMS = """
Of Siteforge's with {tenants:,} tenants, by program, sampled:

| program | processes | CPU s | largest, MiB |
|---|---|---|---|
"""

_LEAST_SECONDS = 0.1

MAIN = "results.json"
"""The results of the run that the page begins with."""

_CAUSES = "causes.md"
"""Beside the results: where the time goes, which no figure of a run says; written by hand."""

_PEERS = """
## Peers

| name | what |
|---|---|
"""

_TARGETS = """
## Targets

Ratios within one run: this one, or the further run that is named. A peer that was cut off took at least its deadline: a
ratio to it is an upper bound. What wasn't measured with as many tenants as are aimed at says with how many it was.

| target | measured | verdict |
|---|---|---|
"""


_RATIOS = """
## Siteforge by each peer

Siteforge's wall seconds divided by the peer's in this run; below 1 it is faster. `<` stands where the peer was cut off.

| work | tenants | {peers} |
|---|---|{lines}|
"""


def write(folder: Path) -> None:
    """Write `performance.md`, and `scale.md` if a run had several numbers of tenants, that with most; and the charts.

    Args:
        folder: of the docs; in its folder `bench` are the results, one file a run.
    """
    beside = folder / "bench"
    runs = {name: load(beside / name) for name in sorted((one.name for one in beside.glob("results*.json")), key=_rank)}
    for name, results in runs.items():
        for work in {row.work for row in results.rows}:
            (beside / _chart_name(name, work)).write_text(_chart(results, work))
    causes = beside / _CAUSES
    (folder / "performance.md").write_text(text(runs, causes.read_text() if causes.exists() else ""))
    sizes = {name: [row.tenants for row in runs[name].of(targets.OURS, "create")] for name in runs}
    if sloping := [name for name in runs if len(sizes[name]) > 1]:
        name = max(sloping, key=lambda name: max(sizes[name]))
        (folder / "scale.md").write_text(scale.text(runs[name], name))


def _rank(name: str) -> tuple[bool, str]:
    return name != MAIN, name


def _chart_name(name: str, work: str) -> str:
    """`create.svg`; of the further run `results-5000.json`, `create-5000.svg`."""
    return f"{work}{Path(name).stem.removeprefix('results')}.svg"


def text(runs: Mapping[str, Results], causes: str = "") -> str:
    """The page.

    Args:
        runs: by the name of its file; the first is what the page is about.
        causes: where the time goes.
    """
    pages = []
    for number, (name, results) in enumerate(runs.items()):
        others = {} if number else {other: run for other, run in runs.items() if other != name}
        head = (_FURTHER if number else _HEAD).format(
            json=name,
            sizes=" and ".join(f"{size:,}" for size in results.sizes),
            label=f"\n**{results.label}**\n" if results.label else "",
            objects=results.objects,
            facts=_FACTS.format(
                date=results.date,
                machine=_listed(results.machine),
                versions=_listed(results.versions),
                cluster=_listed(results.cluster),
                deadline=results.deadline,
            ),
        )
        peers = "".join(f"| {peer} | {title} |\n" for peer, title in results.titles.items())
        verdicts = "".join(
            f"| {found.aim} | {_number(found.value)} | {found.verdict} |\n"
            for found in targets.judge(results, others)
            if not number or found.value is not None
        )
        pages += [head, _TARGETS, verdicts, "" if number else causes, _ratios(results), _PEERS, peers]
        done = [work for work in WORKS if any(row.work == work for row in results.rows)]
        pages += [_section(results, work, _chart_name(name, work)) for work in done]
    return "".join(pages)


def _ratios(results: Results) -> str:
    others = [peer for peer in results.titles if peer != targets.OURS]
    lines = []
    for work in WORKS:
        for size in results.sizes:
            if targets.seconds(results, size, targets.OURS, work) is not None:
                cells = " | ".join(_ratio(results, size, work, peer) for peer in others)
                lines.append(f"| {_TITLES[work]} | {size:,} | {cells} |\n")
    head = _RATIOS.format(peers=" | ".join(others), lines="|".join("---" for _ in others))
    return head + "".join(lines) if lines and others else ""


def _ratio(results: Results, size: int, work: str, peer: str) -> str:
    row, value = results.find(size, peer, work), targets.against(work, peer)(results, size)
    return f"{'< ' if row and row.outcome == 'cut off' else ''}{_number(value)}"


def _section(results: Results, work: str, picture: str) -> str:
    lines = [
        f"\n## {_TITLES[work]}\n",
        f"![Seconds by number of tenants](bench/{picture})\n",
        "| tenants | peer | wall s | CPU s | control plane s | peak MiB | its requests | all by verb | backend MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for size in results.sizes:
        for peer in results.titles:
            row = results.find(size, peer, work)
            if row is not None and not (row.outcome == "not offered" and _is_reference(results, peer)):
                lines.append(f"| {size:,} | {peer} | {' | '.join(_cells(row))} |")
    return "\n".join(lines) + "\n" + _programs(results, work)


def _programs(results: Results, work: str) -> str:
    """What each of Siteforge's programs took, with as many tenants as there were."""
    rows = [row for row in results.of(targets.OURS, work) if row.programs]
    if not rows:
        return ""
    shown = [
        f"| {name} | {one['processes']:.0f} | {_number(one['cpu_seconds'])} | {_number(one['peak_bytes'] / 2**20)} |\n"
        for name, one in rows[-1].programs.items()
        if one["cpu_seconds"] >= _LEAST_SECONDS
    ]
    return _PROGRAMS.format(tenants=rows[-1].tenants) + "".join(shown)


def _is_reference(results: Results, peer: str) -> bool:
    return results.titles[peer].startswith("reference")


def _cells(row: Row) -> Sequence[str]:
    if row.outcome in ("not offered", "failed"):
        reason = f": {row.reason}".replace("|", "\\|") if row.reason else ""
        return [f"{row.outcome}{reason}", *[""] * 6]
    wall = f"{'> ' if row.outcome == 'cut off' else ''}{_number(row.seconds)}"
    return [
        wall,
        _number(row.cpu_seconds),
        _number(sum(row.control_plane_cpu_seconds.values())),
        _number(None if row.peak_bytes is None else row.peak_bytes / 2**20),
        "" if row.own_requests is None else f"{row.own_requests:,}",
        ", ".join(f"{verb} {count:,}" for verb, count in row.requests.items()),
        "" if row.backend_bytes is None else _number(row.backend_bytes / 1e6),
    ]


def _chart(results: Results, work: str) -> str:
    lines = {peer: list(_points(results, peer, work)) for peer in results.titles}
    return chart.svg(_TITLES[work], "s", lines)


def _points(results: Results, peer: str, work: str) -> Iterator[chart.Point]:
    for row in results.of(peer, work):
        if row.seconds:
            yield row.tenants, row.seconds


def _listed(found: dict[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in found.items())


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
