"""The soak test, `make soak`: random faults against a fleet that is written on all the time; nothing may be lost.

`SITEFORGE_SOAK_MINUTES` says for how long, and the seed that is printed, given as `SITEFORGE_SOAK_SEED`, makes the same
faults in the same order again. In a cluster of its own.
"""

import contextlib
import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import simulated
from tests.support.clone import Clone
from tests.support.soak import FAULTS, Fleet, MovingSite, rounds, table
from tests.support.writer import Writer

pytestmark = pytest.mark.faults

MINUTES = float(os.environ.get("SITEFORGE_SOAK_MINUTES", "2"))
SEED = int(os.environ.get("SITEFORGE_SOAK_SEED") or time.time())
REAL, SIMULATED = (3, 17) if MINUTES >= 10 else (1, 4)
_PAUSE_SECONDS = 2.0


@pytest.fixture
def fleet(clone: Clone, tmp_path: Path) -> Iterator[Fleet]:
    """Tenants with real pods, whose volumes are kept, and others with simulated ones, all of them ready."""
    clone.shell("python3 -c 'from local import cluster; cluster.start()'", deadline=900)
    stack = clone.stack(tmp_path / "stack", "soak")
    stack.configure("readiness", "fleet")
    names = [f"e2e-soak-{number:02}" for number in range(REAL + SIMULATED)]
    real, others = names[:REAL], names[REAL:]
    volume = {"volume": {"storageClass": "local-path-retain"}}
    tenants = [
        {"name": name, "title": "Soaked", "adminEmail": "soak@example.com", "plan": "nano"}
        | {"wordpress": volume, "database": volume}
        for name in real
    ]
    stack.catalogue(json.dumps({"tenants": [*tenants, *(simulated.tenant(name) for name in others)]}))
    try:
        stack.siteforge("up")
        passwords = stack.output("adminPasswords")
        sites = {name: MovingSite(name, passwords[name], clone=clone) for name in real}
        fleet = Fleet(clone, stack, sites, tuple(others))
        fleet.repair("up")
        yield fleet
    finally:
        stack.siteforge("recover", check=False)
        stack.destroy()


def test_after_random_faults_all_is_converged_and_every_acknowledged_post_is_there(fleet: Fleet) -> None:
    print(f"\nseed {SEED}, {MINUTES:g} min, {REAL} tenants with real pods of {REAL + SIMULATED}", flush=True)
    chance = random.Random(SEED)
    injected, repaired = [], []
    deadline = time.monotonic() + 60 * MINUTES
    with contextlib.ExitStack() as stack:
        writers = [stack.enter_context(Writer(site, name, pause=_PAUSE_SECONDS)) for name, site in fleet.sites.items()]
        for name in rounds(chance):
            if time.monotonic() > deadline:
                break
            fault, command = FAULTS[name]
            injected.append(name)
            whom = fault(fleet, chance)
            seconds = fleet.repair(command)
            repaired.append((name, seconds))
            print(f"  {name}: {whom}: all is well after {seconds:.1f} s", flush=True)
    written, refused = sum(len(one.acknowledged) for one in writers), sum(one.refused for one in writers)
    lost = set().union(*(one.lost() for one in writers))
    print(f"{table(repaired, injected)}\n{written} posts acknowledged, {refused} refused, {len(lost)} lost")
    assert lost == set()
    assert written > 0
    assert len(repaired) == len(injected) > 0
    assert set(fleet.stack.preview().counts) == {"unchanged"}
