"""In a cluster of its own, as nobody else's sites may go with it."""

import os
import re
import signal
import time

from tests.support.clone import Clone
from tests.support.platform import Platform, name

TENANT = "blog-aku"


def test_sites_come_back_with_their_posts_after_every_process_was_killed(clone: Clone) -> None:
    clone.shell("make up", deadline=900)
    before = clone.site(TENANT)
    before.post("Before the crash")
    path = before.upload("crash.txt", b"kept")
    pids = Platform(clone).processes()
    assert {"etcd", "kube-apiserver", "kubelet", "containerd"} <= {name(pid) for pid in pids}
    assert os.getpid() not in pids
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue  # it went with its parent
    time.sleep(1)
    started = time.monotonic()
    clone.shell("make up", deadline=300)
    print(f"three sites answer {time.monotonic() - started:.1f} s after `make up`")
    after = clone.site(TENANT)
    assert "Before the crash" in after.posts()
    assert after.get(path).body == "kept"
    assert re.search(r"Resources:\n +\d+ unchanged\n", clone.shell("make up"))
