"""Start, stop and delete the cluster of this clone, from the machine's side."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from local import packages, paths
from local.cluster import checks, control_groups, image_store, network, plan, report, settings, simulated_nodes
from local.cluster.layout import Layout, identity, outside
from local.cluster.settings import Settings
from local.steps import Failure, say, step

_PACKAGES = ("containerd", "runc", "containernetworking-plugins", "iptables", "iproute2", "openssl", "util-linux")
_PACKAGES_SIMULATED = ("openssl", "util-linux")
_LAUNCH_SECONDS = 15.0
_READY_SECONDS = 120.0
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.05
_DEATHS = 5
"""A program that died so often before it was ready will not get there."""


def start(programs: Path, images: Sequence[image_store.Image], simulated: bool | None = None) -> Settings:
    """Start this clone's cluster, or finish a start that was cut short; at once when it runs already.

    Args:
        programs: the folder with etcd, kubelet and so on.
        images: to have in the node's image store.
        simulated: whether to do without a real node; None keeps to what the cluster is, real for a new one.

    Returns:
        Its settings, with all addresses.

    Raises:
        Failure: this is not root, a program fails, or the cluster is not ready in time.
    """
    layout = outside()
    with _alone(layout):
        known = settings.load(layout)
        running = _running(layout)
        wanted = plan.settle(known, programs, simulated, running=running is not None)
        if running is not None and known is not None and known.fingerprint != wanted.fingerprint:
            say("    the cluster's programs or configuration changed: it is restarted, its data stays")
            _stop(layout, running)
            running = None
        if running is not None and _is_ready(layout, wanted):
            image_store.ensure(layout, running.pid, [] if wanted.simulated else images)
            simulated_nodes.ensure_some(wanted, layout)
            return wanted
        with step("simulated Kubernetes cluster" if wanted.simulated else "Kubernetes cluster"):
            _start(layout, wanted, running, images)
        if wanted.simulated:
            say("    pods are simulated: they count as running but run nothing, and no site will answer")
        return wanted


def add_images(images: Sequence[image_store.Image]) -> None:
    """Bring images into the running cluster's node that are not there yet.

    Raises:
        Failure: the cluster doesn't run, or has no real node.
    """
    layout = outside()
    with _alone(layout):
        known, running = settings.load(layout), _running(layout)
        if known is None or running is None or known.simulated:
            raise Failure("there is no running cluster with a real node to take images", fix="start it: make up")
        image_store.ensure(layout, running.pid, images)


def stop() -> None:
    """Stop the cluster: pods and programs are asked to end and killed if they don't; the data stays.

    Raises:
        Failure: its supervisor does not end even by a kill.
    """
    layout = outside()
    with _alone(layout):
        running = _running(layout)
        if running is not None:
            with step("stop the cluster"):
                _stop(layout, running)
        else:
            _clean()


def delete() -> None:
    """Stop the cluster and remove it with all its data, volumes and images of its node included.

    Raises:
        Failure: it can't be stopped, or a file can't be removed.
    """
    stop()
    layout = outside()
    with _alone(layout):
        # Out of sight first: a removal that is cut short leaves no half cluster behind.
        doomed = layout.home.with_name("cluster.deleted")
        try:
            if doomed.exists():
                shutil.rmtree(doomed)
            if layout.home.exists():
                layout.home.replace(doomed)
                shutil.rmtree(doomed)
        except OSError as error:
            raise Failure(f"the cluster's data can't be removed: {error}", fix="sudo make clean") from error


def _start(
    layout: Layout, wanted: Settings, running: report.Identity | None, images: Sequence[image_store.Image]
) -> None:
    packages.ensure(_PACKAGES_SIMULATED if wanted.simulated else _PACKAGES)
    if running is None:
        _clean()
        plan.write(layout, wanted)
        running = _launch(layout, wanted)
    if not wanted.simulated:
        if not network.connected(wanted.network, wanted.identity):
            network.connect(wanted.network, wanted.identity, running.pid)
        _wait(layout, running, "containerd", lambda found: found.programs["containerd"].ready)
        image_store.ensure(layout, running.pid, images)
    _wait(layout, running, "all its programs", lambda found: found.phase == "ready")
    simulated_nodes.ensure_some(wanted, layout)


def _stop(layout: Layout, running: report.Identity) -> None:
    """Ask the supervisor to end, kill it after a deadline: its namespaces, and all in them, end with it."""
    with contextlib.suppress(ProcessLookupError):
        # A descriptor means this very process, even if it ends and its number is given to another.
        process = os.pidfd_open(running.pid)
        try:
            for number, seconds in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _LAUNCH_SECONDS)):
                if report.identify(running.pid) == running:
                    signal.pidfd_send_signal(process, number)
                deadline = time.monotonic() + seconds
                while report.identify(running.pid) == running and time.monotonic() < deadline:
                    time.sleep(_POLL_SECONDS)
        finally:
            os.close(process)
    if report.identify(running.pid) == running:
        raise Failure(
            f"the cluster's supervisor (pid {running.pid}) does not end even by SIGKILL",
            fix="a process of it waits for the kernel, as for a disk that does not answer: see `dmesg`",
        )
    _clean()


def _clean() -> None:
    """Remove what a real cluster leaves on the machine when it ends. Only when its supervisor is gone."""
    own = identity(paths.STATE)
    network.disconnect(own)
    control_groups.remove(settings.control_group(own))


def _launch(layout: Layout, wanted: Settings) -> report.Identity:
    layout.report.unlink(missing_ok=True)
    layout.logs.mkdir(parents=True, exist_ok=True)
    namespaces = ["unshare", "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child=SIGKILL", "--"]
    with (layout.logs / "supervisor.log").open("wb") as sink:
        process = subprocess.Popen(
            [
                *([] if wanted.simulated else namespaces),
                *(sys.executable, "-m", "local.cluster.supervisor", str(layout.state)),
            ],
            cwd=paths.PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + _LAUNCH_SECONDS
    while (running := _running(layout)) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise _failure(layout, "the cluster's supervisor did not start")
        time.sleep(_POLL_SECONDS)
    # It outlives this process as a rule; where it does not, as in tests, it is reaped.
    threading.Thread(target=process.wait, daemon=True).start()
    return running


def _running(layout: Layout) -> report.Identity | None:
    """The supervisor's process, if it lives.

    Raises:
        Failure: it lives, as its lock tells, but does not say who it is.
    """
    deadline = time.monotonic() + _LAUNCH_SECONDS
    while time.monotonic() < deadline:
        found = report.load(layout)
        if found is not None and report.alive(found):
            return found.supervisor
        if not report.is_locked(layout.home / "supervisor.lock"):
            return None
        # It has only just started, or its report was damaged; it writes it anew within seconds.
        time.sleep(_POLL_SECONDS)
    raise Failure(
        f"a supervisor of this clone's cluster runs, but does not write {layout.report}",
        fix=f"end it: find it by `pgrep -f 'local.cluster.supervisor {layout.state}'`",
    )


def _is_ready(layout: Layout, wanted: Settings) -> bool:
    found = report.load(layout)
    return (
        found is not None
        and found.phase == "ready"
        and (wanted.simulated or network.connected(wanted.network, wanted.identity))
        and checks.api_ready(wanted.server, layout.certificates)()
    )


def _wait(layout: Layout, running: report.Identity, what: str, done: Callable[[report.Report], bool]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        found = report.load(layout)
        if found is not None and found.phase.startswith("failed"):
            raise _failure(layout, f"the cluster's start {found.phase}")
        if found is not None and found.programs:
            if done(found):
                return
            hopeless = [n for n, s in found.programs.items() if not s.ready and s.restarts >= _DEATHS]
            if hopeless:
                raise _failure(layout, f"{hopeless[0]} ends again and again", hopeless[0])
        if report.identify(running.pid) != running:
            raise _failure(layout, "the cluster's supervisor ended")
        if time.monotonic() > deadline:
            raise _failure(layout, f"the cluster is not ready after {_READY_SECONDS:.0f} s; waited for {what}")
        time.sleep(_POLL_SECONDS)


def _failure(layout: Layout, message: str, culprit: str = "") -> Failure:
    """What a person needs to know about a start that failed: who is late, and the last lines of that log."""
    found = report.load(layout)
    late = [name for name, status in found.programs.items() if not status.ready] if found is not None else []
    log = layout.logs / f"{culprit or (late[0] if late else 'supervisor')}.log"
    tail = log.read_text(errors="replace").splitlines()[-10:] if log.exists() else []
    waiting = f" (not ready: {', '.join(late)})" if late else ""
    return Failure(
        "\n  ".join([message + waiting, *(line[:400] for line in tail)]), fix=f"the whole logs are in {layout.logs}"
    )


@contextlib.contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """One command at a time works on this clone's cluster; the next waits."""
    descriptor = report.lock(layout.state / "cluster.lock")
    assert descriptor is not None
    try:
        yield
    finally:
        os.close(descriptor)
