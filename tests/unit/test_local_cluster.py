"""The local cluster's promises that need no cluster: addresses, certificates, tables, and who is who."""

import fcntl
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from local import paths
from local.cluster import (
    certificates,
    checks,
    configuration,
    control_groups,
    lifecycle,
    network,
    overview,
    plan,
    processes,
    report,
    settings,
    simulated_nodes,
    supervisor,
)
from local.cluster.layout import INSIDE, NODE, Layout, identity, inside
from local.cluster.network import Network
from local.cluster.settings import Ports, Settings
from local.steps import Failure

REAL = Settings("acab76", Network(214), Ports(), "/programs", simulated=False)
SIMULATED = replace(REAL, simulated=True)


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setattr(paths, "STATE", tmp_path)
    return Layout(tmp_path, tmp_path / "cluster" / "runtime")


# Addresses


def test_a_free_network_is_chosen_by_the_clone() -> None:
    first, second = network.choose("000000", []), network.choose("000001", [])
    assert first.cidr == "10.160.0.0/16"
    assert second.cidr == "10.161.0.0/16"


@pytest.mark.parametrize("taken", ["10.160.0.0/16", "10.160.7.1", "10.160.128.0/24", "10.160.0.0/12"])
def test_a_network_that_is_routed_elsewhere_is_passed_over(taken: str) -> None:
    chosen = network.choose("000000", [{"dst": taken, "dev": "vpn0"}])
    assert network.overlapping(chosen.cidr, [{"dst": taken, "dev": "vpn0"}], own_device="") is None


def test_the_default_route_and_our_own_link_take_nothing() -> None:
    routes = [{"dst": "default", "dev": "eth0"}, {"dst": "10.160.0.0/16", "dev": "siteforge000000"}]
    assert network.overlapping("10.160.0.0/16", routes, own_device="siteforge000000") is None
    assert network.overlapping("10.160.0.0/16", routes, own_device="") == "siteforge000000"


def test_no_free_network_is_an_error_that_says_where_to_look() -> None:
    with pytest.raises(Failure, match="no free network") as caught:
        network.choose("000000", [{"dst": "10.0.0.0/8", "dev": "vpn0"}])
    assert "ip route" in caught.value.fix


def test_the_parts_of_a_network_do_not_overlap() -> None:
    import ipaddress

    parts = [REAL.network.pods, REAL.network.services, REAL.network.simulated_pods, f"{REAL.network.node}/30"]
    networks = [ipaddress.ip_network(part, strict=False) for part in parts]
    assert all(part.subnet_of(ipaddress.ip_network(REAL.network.cidr)) for part in networks)  # type: ignore[arg-type]
    assert not any(a.overlaps(b) for a in networks for b in networks if a is not b)
    assert ipaddress.ip_address(REAL.network.machine) in networks[3]
    assert ipaddress.ip_address(REAL.network.kubernetes_service) in networks[1]


def test_the_links_name_fits_the_kernel() -> None:
    assert len(network.device(identity(Path("/some/clone/.siteforge")))) <= 15


# Certificates


def test_the_api_server_answers_to_every_name_by_which_it_is_reached() -> None:
    api = certificates.wanted(NODE, ["127.0.0.1", "10.214.128.2", "10.214.64.1"])[0]
    for name in ("IP:127.0.0.1", "IP:10.214.128.2", "IP:10.214.64.1", "DNS:localhost", "DNS:kubernetes.default.svc"):
        assert name in api.names


def test_components_have_the_identities_that_kubernetes_expects() -> None:
    users = {c.file: (c.user, c.group) for c in certificates.wanted(NODE, [])}
    assert users["kubelet"] == ("system:node:siteforge", "system:nodes")
    assert users["kube-proxy"] == ("system:kube-proxy", "system:node-proxier")
    assert users["admin"][1] == "system:masters"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")
def test_certificates_are_made_once_and_leaves_anew_for_other_addresses(tmp_path: Path) -> None:
    folder, log = tmp_path / "certificates", tmp_path / "log"
    certificates.ensure(folder, certificates.wanted(NODE, ["127.0.0.1"]), log)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.glob("*.key"))
    for name in ("kube-apiserver", "kubelet", "admin"):
        subprocess.run(
            ["openssl", "verify", "-CAfile", folder / "authority.crt", folder / f"{name}.crt"],
            check=True,
            capture_output=True,
        )
    certificates.ensure(folder, certificates.wanted(NODE, ["127.0.0.1"]), log)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    certificates.ensure(folder, certificates.wanted(NODE, ["127.0.0.1", "10.161.128.2"]), log)
    changed = {path.name for path in folder.iterdir() if path.read_bytes() != first[path.name]}
    assert "kube-apiserver.crt" in changed
    assert not changed & {"authority.key", "authority.crt", "service-accounts.key"}


# Configuration and programs


@pytest.mark.parametrize("chosen", [REAL, SIMULATED])
def test_every_file_that_a_program_is_given_is_written(chosen: Settings, layout: Layout) -> None:
    seen = plan.seen(chosen, layout)
    written = {str(seen.configuration / name) for name in configuration.files(chosen, seen)}
    for row in processes.table(chosen, seen, started=0.0):
        for argument in row.argv[1:]:
            file = argument.partition("=")[2] or argument
            if file.startswith(str(seen.configuration)):
                assert file in written, f"{row.name} reads {file}"


@pytest.mark.parametrize("chosen", [REAL, SIMULATED])
def test_a_program_starts_after_others_of_the_same_table_without_a_circle(chosen: Settings) -> None:
    started: set[str] = set()
    for row in processes.table(chosen, inside(), started=0.0):
        assert started.issuperset(row.after), f"{row.name} waits for what comes later"
        started.add(row.name)


def test_a_real_cluster_stays_in_its_own_folders() -> None:
    kubelet = json.loads(configuration.kubelet(REAL, inside()))
    assert kubelet["cgroupRoot"] == "/siteforge-acab76"
    assert kubelet["containerRuntimeEndpoint"] == "unix:///run/containerd/containerd.sock"
    assert kubelet["clusterDNS"] == [REAL.network.node]
    assert f'root = "{INSIDE}/cluster/containerd"' in configuration.containerd(inside())


def test_a_simulated_cluster_has_no_node_and_listens_on_loopback_alone(layout: Layout) -> None:
    rows = {row.name: row.argv for row in processes.table(SIMULATED, layout, started=0.0)}
    assert "kwok" in rows
    assert not {"kubelet", "containerd", "kube-proxy", "coredns"} & set(rows)
    assert "--bind-address=127.0.0.1" in rows["kube-apiserver"]


def test_simulated_nodes_are_tainted_beside_a_real_one() -> None:
    assert simulated_nodes.names(2) == ["simulated-0000", "simulated-0001"]
    node = simulated_nodes.manifest("simulated-0000", tainted=True)
    assert node["spec"] == {"taints": [{"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}]}
    assert simulated_nodes.manifest("simulated-0000", tainted=False)["spec"] == {"taints": []}


def test_simulated_nodes_have_room_for_all_that_tenants_ask_for() -> None:
    status = simulated_nodes.manifest("simulated-0000", tainted=False)["status"]
    assert isinstance(status, dict)
    assert {"cpu", "memory", "ephemeral-storage", "pods"} == set(status["allocatable"]) == set(status["capacity"])


# Settings


def test_settings_are_read_as_they_were_written(layout: Layout) -> None:
    assert settings.load(layout) is None
    settings.save(layout, REAL)
    assert settings.load(layout) == REAL


def test_damaged_settings_are_an_error_that_says_what_to_do(layout: Layout) -> None:
    settings.save(layout, REAL)
    layout.settings.write_text("{")
    with pytest.raises(Failure, match="does not hold the settings") as caught:
        settings.load(layout)
    assert "make clean" in caught.value.fix


def test_another_program_or_argument_changes_the_fingerprint(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(network, "routes", list)
    first = plan.settle(REAL, Path("/programs"), None, running=True)
    assert plan.settle(REAL, Path("/programs"), None, running=True) == first
    assert plan.settle(REAL, Path("/others"), None, running=True).fingerprint != first.fingerprint


def test_a_real_cluster_needs_root_and_says_what_works_without(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Failure, match="needs root") as caught:
        plan.settle(None, Path("/programs"), None, running=False)
    assert "SITEFORGE_SIMULATED=1" in caught.value.fix
    assert plan.settle(None, Path("/programs"), True, running=False).simulated


def test_a_cluster_does_not_change_its_kind(layout: Layout) -> None:
    with pytest.raises(Failure, match="has a real cluster"):
        plan.settle(REAL, Path("/programs"), True, running=False)


def test_a_network_taken_by_another_is_an_error_once_there_is_data(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(network, "routes", lambda: [{"dst": REAL.network.cidr, "dev": "vpn0"}])
    assert plan.settle(REAL, Path("/programs"), None, running=False).network != REAL.network
    (layout.home / "etcd").mkdir(parents=True)
    with pytest.raises(Failure, match=r"10\.214\.0\.0/16 is routed to vpn0"):
        plan.settle(REAL, Path("/programs"), None, running=False)


# Who is who


def test_a_process_is_known_by_its_number_and_start() -> None:
    own = report.identify(os.getpid())
    assert own is not None
    assert report.alive(report.Report(own, "ready"))
    assert not report.alive(report.Report(replace(own, started=own.started - 1), "ready"))
    assert not report.alive(None)


def test_a_process_that_ended_is_gone_even_if_nobody_asked_for_its_exit_code() -> None:
    with subprocess.Popen(["/bin/true"]) as process:
        deadline = time.monotonic() + 5
        while report.identify(process.pid) is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert report.identify(process.pid) is None


def test_the_start_time_is_found_behind_any_name() -> None:
    fields = " ".join(["S", "1", *["0"] * 17, "4242", "0"])
    assert report.parse_start(f"7 (a) b (c)) {fields}") == 4242


def test_stopping_never_signals_a_process_that_took_the_number(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "disconnect", lambda _: None)
    monkeypatch.setattr(control_groups, "remove", lambda _: None)
    monkeypatch.setattr(lifecycle, "outside", lambda: layout)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as foreign:
        report.save(layout, report.Report(report.Identity(foreign.pid, 1), "ready"))
        lifecycle.stop()
        assert foreign.poll() is None
        foreign.kill()


def test_a_damaged_report_counts_as_none(layout: Layout) -> None:
    layout.home.mkdir()
    for text in ("", "{", "[]", '{"supervisor": 1}'):
        layout.report.write_text(text)
        assert report.load(layout) is None


def test_a_lock_excludes_others_until_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not report.is_locked(path)
    first = report.lock(path)
    assert first is not None
    assert report.is_locked(path)
    assert report.lock(path, seconds=0) is None
    assert report.held(path, first)
    path.unlink()
    assert not report.held(path, first)
    os.close(first)


def test_a_lock_file_that_was_replaced_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = report.lock(path)
    assert first is not None
    path.unlink()
    path.touch()
    assert not report.held(path, first)
    fcntl.flock(first, fcntl.LOCK_UN)
    os.close(first)


# The supervisor


def test_waiting_grows_with_each_failure_and_ends_at_ten_seconds() -> None:
    assert [supervisor.backoff(failures) for failures in (0, 1, 2, 5, 50)] == [0.0, 0.2, 1.0, 10.0, 10.0]


def test_a_handler_for_sigterm_is_seen() -> None:
    assert supervisor.catches("Name:\tx\nSigCgt:\t0000000000004000\n", 15)
    assert not supervisor.catches("Name:\tx\nSigCgt:\t0000000000000002\n", 15)


def test_what_dies_is_started_again_and_ready_only_when_it_says_so(layout: Layout) -> None:
    layout.logs.mkdir(parents=True)
    marker = layout.state / "starts"
    script = f"echo >> {marker}; test $(wc -l < {marker}) -ge 2 && exec sleep 60"
    row = processes.Process("one", ("/bin/sh", "-c", script), (), lambda: len(_text(marker)) >= 2)
    after = processes.Process("two", ("/bin/true",), ("one",), lambda: True, once=True)
    own = report.Report(report.Identity(1, 1), "starting")
    watched = supervisor.Supervisor(layout, (row, after), own, ())
    signals = supervisor.block_signals()

    def end_when_ready() -> None:
        deadline = time.monotonic() + 20
        while own.phase != "ready" and time.monotonic() < deadline:
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    threading.Thread(target=end_when_ready).start()
    try:
        watched.run(lambda: True)
        assert own.phase == "ready"
        assert own.programs["one"].restarts == 1
        assert own.programs["two"].ready
        assert report.load(layout) == own
        watched.stop()
        assert own.programs["one"].pid == 0
    finally:
        supervisor.unblock_signals(signals)


def test_outside_a_pid_namespace_no_container_is_touched(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_end_pods", lambda: pytest.fail("these containers may be anyone's"))
    supervisor.Supervisor(layout, (), report.Report(report.Identity(1, 1), "ready"), ()).stop()


def test_a_program_that_is_missing_does_not_end_the_supervisor(layout: Layout) -> None:
    layout.logs.mkdir(parents=True)
    own = report.Report(report.Identity(1, 1), "starting")
    row = processes.Process("gone", ("/nowhere/gone",), (), lambda: True)
    watched = supervisor.Supervisor(layout, (row,), own, ())
    deadline = time.monotonic() + 0.5
    signals = supervisor.block_signals()
    try:
        watched.run(lambda: time.monotonic() < deadline)
    finally:
        supervisor.unblock_signals(signals)
    assert own.phase == "starting"
    assert own.programs["gone"].restarts >= 1


# Checks and words


def test_a_dns_question_is_well_formed() -> None:
    query = checks.question("a.bc.")
    assert struct.unpack(">HHHHH", query[2:12]) == (0x0100, 1, 0, 0, 0)
    assert query[12:] == b"\1a\2bc\0\0\1\0\1"


@pytest.mark.parametrize(("flags", "count", "answered"), [(0x8180, 1, True), (0x8180, 0, False), (0x8185, 1, False)])
def test_only_an_answer_without_error_counts(flags: int, count: int, answered: bool) -> None:
    assert checks.answers(struct.pack(">HHHHHH", 1, flags, 1, count, 0, 0)) is answered
    assert not checks.answers(b"short")


def test_status_lines_are_for_people() -> None:
    assert overview.duration(59) == "59 s"
    assert overview.duration(61) == "1 min 1 s"
    assert overview.duration(7260) == "2 h 1 min"
    assert overview.line("etcd", report.Status(7, 100.0, 2, True), 160.0).split() == [
        "etcd",
        "up",
        "1",
        "min",
        "0",
        "s",
        "2",
    ]
    assert overview.line("etcd", report.Status(), 160.0).split() == ["etcd", "down", "-", "0"]


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
