"""In a cluster of its own, as nobody else's sites may go with it."""

import json
import os
import re
import signal
import time
from pathlib import Path

from tests.support.clone import Clone
from tests.support.site import Site

TENANT = "blog-aku"


def processes_of_the_cluster(clone: Clone) -> list[int]:
    """Every process of the cluster's PID namespace, the pods' included, by the namespace of its supervisor."""
    supervisor = "from local.cluster import layout, report; print(report.load(layout.outside()).supervisor.pid)"
    own = _namespace(int(clone.shell(f"python3 -c '{supervisor}'")))
    assert own not in ("", _namespace(os.getpid()))
    found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in found if _namespace(pid) == own]


def name(pid: int) -> str:
    """Its program; empty if it ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _namespace(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


def site(clone: Clone, printed: str) -> Site:
    """The tenant's site, where `make up` printed that it answers."""
    (address,) = re.findall(rf"^  {TENANT} +http://(\S+)$", printed, re.MULTILINE)
    shown = clone.shell('eval "$(make -s env)"; pulumi stack output adminPasswords --show-secrets --json')
    return Site(TENANT, json.loads(shown)[TENANT], address)


def test_sites_come_back_with_their_posts_after_every_process_was_killed(clone: Clone) -> None:
    before = site(clone, clone.shell("make up", deadline=900))
    before.post("Before the crash")
    path = before.upload("crash.txt", b"kept")
    pids = processes_of_the_cluster(clone)
    assert {"etcd", "kube-apiserver", "kubelet", "containerd"} <= {name(pid) for pid in pids}
    assert os.getpid() not in pids
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue  # it went with its parent
    time.sleep(1)
    started = time.monotonic()
    printed = clone.shell("make up", deadline=300)
    print(f"three sites answer {time.monotonic() - started:.1f} s after `make up`")
    after = site(clone, printed)
    assert "Before the crash" in after.posts()
    assert after.get(path).body == "kept"
    assert re.search(r"Resources:\n +\d+ unchanged\n", clone.shell("make up"))
