import os
import signal
import time
from pathlib import Path

from local import cluster
from local.cluster import report
from local.cluster.layout import outside
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

NAMESPACE = "e2e-blog"


def processes_of_the_cluster() -> list[int]:
    """Every process of the cluster's PID namespace, the pods' included, by the namespace of its supervisor."""
    running = report.load(outside())
    assert running is not None
    own = _namespace(running.supervisor.pid)
    assert own != _namespace(os.getpid())
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


def test_sites_come_back_with_their_posts_after_every_process_was_killed(blog: Stack, site: Site) -> None:
    site.post("Before the crash")
    path = site.upload("crash.txt", b"kept")
    pids = processes_of_the_cluster()
    assert {"etcd", "kube-apiserver", "kubelet", "containerd"} <= {name(pid) for pid in pids}
    assert os.getpid() not in pids
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue  # it went with its parent
    time.sleep(1)
    cluster.start()
    seconds = eventually("the site after the crash", site.serves, seconds=180, namespace=NAMESPACE)
    print(f"a site answers {seconds:.1f} s after the cluster's start")
    assert "Before the crash" in site.posts()
    assert site.get(path).body == "kept"
    assert set(blog.up().counts) == {"unchanged"}
