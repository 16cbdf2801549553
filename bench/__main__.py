"""`python -m bench` (`make bench`): runs what the environment asks for, then writes results, charts and page.

BENCH_TENANTS   numbers of tenants, such as "50 200 1000" (default "50 200")
BENCH_PEERS     names, such as "floor siteforge helm8@200" (default: all); @200: with so many tenants at most
BENCH_WORKS     pieces of work, such as "create change_one" (default: all)
BENCH_DEADLINE  seconds for a piece of work (default 900)
BENCH_LABEL     what to know before reading the figures, shown above them
BENCH_RESULTS   the results' file (default results.json); results-NAME.json is a further run on the same page
BENCH_OUTPUT    folder for performance.md and bench/ (default docs)
"""

import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from bench import fleet, harness, page, targets
from bench.harness import Plan
from bench.peers import KNOWN, PEERS
from bench.results import WORKS, Results
from local import paths
from local.steps import Failure, say


def plan(environment: Mapping[str, str]) -> Plan:
    """What the environment asks for.

    Raises:
        Failure: a value can't be what it should say.
    """
    asked = environment.get("BENCH_PEERS", "").split() or list(PEERS)
    most = {name: _integer("BENCH_PEERS", size) for name, at, size in (text.partition("@") for text in asked) if at}
    names = [text.partition("@")[0] for text in asked]
    if unknown := [name for name in names if name not in KNOWN]:
        raise Failure(f"BENCH_PEERS: no such peer: {', '.join(unknown)}", fix=f"there are: {' '.join(KNOWN)}")
    sizes = [_integer("BENCH_TENANTS", text) for text in environment.get("BENCH_TENANTS", "50 200").split()]
    if not sizes or not all(2 <= size <= fleet.LARGEST for size in sizes):
        raise Failure("BENCH_TENANTS: no numbers to run with", fix=f'numbers from 2 to {fleet.LARGEST}, as in "50 200"')
    deadline = _integer("BENCH_DEADLINE", environment.get("BENCH_DEADLINE", "900"))
    works = environment.get("BENCH_WORKS", "").split() or list(WORKS)
    if "create" not in works or set(works) - set(WORKS):
        raise Failure(f"BENCH_WORKS: not what can be done ({' '.join(works)})", fix=f"create, and of {' '.join(WORKS)}")
    ordered = [name for name in KNOWN if name in names]
    label = environment.get("BENCH_LABEL", "")
    return Plan(sorted(set(sizes)), ordered, float(deadline), label, most, [work for work in WORKS if work in works])


def results_name(environment: Mapping[str, str]) -> str:
    """The name of the results' file.

    Raises:
        Failure: the page would not find it.
    """
    name = environment.get("BENCH_RESULTS") or page.MAIN
    if not re.fullmatch(r"results(-[A-Za-z0-9-]+)?\.json", name):
        raise Failure(f"BENCH_RESULTS: no name of results ({name})", fix="BENCH_RESULTS=results-5000.json")
    return name


def _integer(variable: str, text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise Failure(f"{variable}: not a whole number above 0 ({text})", fix=f"{variable}=50")
    return int(text)


def _own_state() -> None:
    """The benchmarks make and delete clusters: never that of the clone."""
    if paths.STATE == paths.PROJECT / ".siteforge":
        raise Failure("the benchmarks need a state folder of their own (SITEFORGE_STATE)", fix="make bench")


def show(results: Results) -> None:
    """Print the verdicts."""
    for found in targets.judge(results):
        value = "" if found.value is None else f" ({found.value:.3g}, limit {found.limit:.3g})"
        say(f"    {found.verdict:<12}  {found.aim}{value}")


def main(arguments: list[str]) -> int:
    """Run, or with the argument `page` just write the page anew from all results that are there."""
    output = Path(os.environ.get("BENCH_OUTPUT") or paths.PROJECT / "docs")
    # Asked to end, it stops what it started, as on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if arguments != ["page"]:
            _own_state()
            file = output / "bench" / results_name(os.environ)
            results = harness.run(plan(os.environ), lambda so_far: so_far.save(file))
            show(results)
        page.write(output)
    except Failure as failure:
        say(f"error: {failure.message}" + (f"\nfix: {failure.fix}" if failure.fix else ""))
        return 1
    except KeyboardInterrupt:
        say("stopped; nothing is left running")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
