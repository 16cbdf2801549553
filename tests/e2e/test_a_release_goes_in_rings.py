"""A new image for four tenants in three rings, watched by visitors; one that fails is taken back."""

import contextlib
import json
import signal
import subprocess
import textwrap
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from local import images
from siteforge.fleet import release_records
from tests.e2e.conftest import MakeStack
from tests.support.commands import kubectl
from tests.support.load import Load
from tests.support.site import Site
from tests.support.stack import Stack

RINGS = {"e2e-ring-canary": "canary", "e2e-ring-early": "early", "e2e-ring-rest": "all"}
CANARY, EARLY, REST = RINGS
MISSING = "127.0.0.1:1/wordpress:1"
"""Of a registry that refuses at once."""

CATALOGUE = textwrap.dedent(
    f"""\
    # Whoever edits this file keeps its comments.
    tenants:
      - name: {CANARY}  # tries everything first
        {{0}}
        ring: canary

      - name: {EARLY}
        {{0}}
        ring: early
        wordpress: {{{{replicas: 1}}}}

      - {{{{name: {REST}, title: Rest, adminEmail: rest@example.com, plan: nano}}}}
      - name: e2e-ring-asleep
        {{0}}
        suspended: true
      - name: e2e-ring-frozen
        {{0}}
        frozen: true
    """
).format("title: A site of the tests\n    adminEmail: ring@example.com\n    plan: nano")

PLUGIN = """<?php
// A plugin that does not get along with the new version.
if (getenv('SITEFORGE_BUILD') === 'next') {
    function_that_the_new_version_has_no_more();
}
"""


@pytest.fixture(scope="module")
def fleet(make_stack: MakeStack) -> Stack:
    stack = make_stack("rings")
    stack.forget(f"configmap/{release_records.name('siteforge', stack.name)}")
    stack.configure("readiness", "fleet")
    stack.catalogue(CATALOGUE)
    stack.siteforge("up")
    return stack


@pytest.fixture
def rings(fleet: Stack) -> Iterator[Stack]:
    """The fleet, each tenant with the stack's image before and after the test."""
    yield fleet
    fleet.forget(f"configmap/{release_records.name('siteforge', fleet.name)}")
    fleet.catalogue(CATALOGUE)
    fleet.siteforge("up")


def site(name: str) -> Site:
    return Site(name, "")


def build(name: str) -> str:
    answer = site(name).get()
    assert answer.status == 200
    return answer.headers["x-siteforge-build"]


def written(stack: Stack) -> str:
    return stack.folder.joinpath("tenants.yaml").read_text()


def released(stack: Stack, *arguments: str, code: int) -> dict[str, Any]:
    done = stack.siteforge("release", *arguments, "--output", "json", check=False)
    assert done.returncode == code, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def uids() -> dict[str, set[str]]:
    """The pods of the sites, by tenant: none of them may go where nothing is released."""

    def of(tenant: str) -> set[str]:
        told = json.loads(kubectl("get", "pods", "-n", tenant, "-l", "app.kubernetes.io/name=wordpress", "-o", "json"))
        heads = [one["metadata"] for one in told["items"]]
        # One that is leaving already is of the test before.
        return {head["uid"] for head in heads if "deletionTimestamp" not in head}

    return {name: of(name) for name in RINGS}


def test_a_release_can_be_written_for_a_commit_without_a_run(rings: Stack) -> None:
    before = uids()
    told = rings.siteforge("release", images.WORDPRESS_NEXT, "--ring", "canary", "--edit-only").stdout
    assert f"canary: {CANARY}\n" in told
    added = set(written(rings).splitlines()) - set(CATALOGUE.splitlines())
    assert [line.strip() for line in added if images.WORDPRESS_NEXT in line]
    assert set(CATALOGUE.splitlines()) <= set(written(rings).splitlines()), "no line is lost, no comment either"
    assert uids() == before
    assert rings.siteforge("status", CANARY).returncode == 0


def test_who_can_not_be_backed_up_is_left_out_and_the_others_are_released(rings: Stack) -> None:
    before = uids()
    rings.catalogue(CATALOGUE.replace("ring: early", "ring: canary"))
    blocked = rings.folder / "blocked"
    blocked.mkdir()
    (blocked / CANARY).write_text("a file where a folder should be")
    options = ("--ring", "canary", "--bake", "1s", "--to", str(blocked))
    report = released(rings, images.WORDPRESS_NEXT, *options, code=0)
    (canary,) = report["rings"]
    assert canary["tenants"] == [EARLY]
    assert canary["left_out"][CANARY].startswith("could not be backed up: ")
    assert len(list((blocked / EARLY).glob("*.zip"))) == 1
    assert (build(EARLY), build(CANARY)) == ("next", "first")
    assert {name for name, uid in uids().items() if uid != before[name]} == {EARLY}


@pytest.mark.faults
def test_an_image_that_nobody_has_is_stopped_in_canary_and_rolled_back(rings: Stack) -> None:
    before = uids()
    with Load(site(CANARY).address) as load:
        report = released(rings, MISSING, "--timeout", "20", "--bake", "5s", "--no-backup", code=4)
    assert (load.failures, load.requests > 20) == ([], True)
    (canary,) = report["rings"]
    assert (canary["ring"], canary["outcome"]) == ("canary", "rolled back")
    assert MISSING in " ".join(canary["why"][CANARY])
    assert written(rings) == CATALOGUE
    assert uids() == before
    assert rings.siteforge("status", CANARY).returncode == 0


def test_an_image_that_is_ready_and_answers_with_errors_is_found_by_its_pages(rings: Stack) -> None:
    before = uids()
    folder = "/var/www/html/wp-content/mu-plugins"
    inside = ["exec", "-i", "-n", CANARY, "deploy/wordpress", "-c", "wordpress", "--", "sh", "-c"]
    kubectl(*inside, f"mkdir -p {folder} && cat > {folder}/old.php", stdin=PLUGIN)
    try:
        done = rings.siteforge("release", images.WORDPRESS_NEXT, "--bake", "5s", "--no-backup", check=False)
    finally:
        kubectl(*inside, f"rm {folder}/old.php")
    assert done.returncode == 4, done.stdout + done.stderr
    assert f"canary: {CANARY}: / answers 500 (pod wordpress-" in done.stdout
    assert "canary: rolled back, and well" in done.stdout
    assert done.stdout.endswith(f"{images.WORDPRESS_NEXT} failed in canary, which is rolled back\n")
    assert written(rings) == CATALOGUE
    assert build(CANARY) == "first"
    assert {name: uid for name, uid in uids().items() if name != CANARY} == {
        name: uid for name, uid in before.items() if name != CANARY
    }


@contextlib.contextmanager
def begun(stack: Stack, what: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A release that has just said `what`."""
    pipe, same = subprocess.PIPE, subprocess.STDOUT
    process = stack.start("release", *arguments, stdout=pipe, stderr=same, PYTHONUNBUFFERED="1")
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(line)
        if what in line:
            break
    else:
        raise AssertionError("".join(said))
    yield process
    process.wait(60)
    process.stdout.close()


def kill(process: "subprocess.Popen[str]") -> None:
    """Kill all its processes, as a power cut would."""
    for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()


def test_a_killed_release_goes_on_loses_no_request_and_can_be_taken_back(rings: Stack) -> None:
    seen = rings.siteforge("release", images.WORDPRESS_NEXT, "--dry-run").stdout
    assert f"canary: {CANARY}\n" in seen
    assert "all: e2e-ring-asleep is left out: suspended\n" in seen
    assert "all: e2e-ring-frozen is left out: frozen\n" in seen
    assert f"+      image: {images.WORDPRESS_NEXT}\n" in seen
    assert written(rings) == CATALOGUE
    with contextlib.ExitStack() as stack:
        loads = {name: stack.enter_context(Load(site(name).address)) for name in RINGS}
        with begun(rings, "baking", images.WORDPRESS_NEXT, "--bake", "10m") as process:
            kill(process)
        assert written(rings).count(images.WORDPRESS_NEXT) == 1
        other = rings.siteforge("release", MISSING, check=False)
        assert (other.returncode, other.stdout) == (2, "")
        assert f"the release of {images.WORDPRESS_NEXT} is not finished in the ring canary" in other.stderr
        with begun(rings, "baking", images.WORDPRESS_NEXT, "--bake", "10m") as process:
            process.send_signal(signal.SIGINT)
            assert process.stdout
            assert "stopped in canary: run the same command again to go on" in process.stdout.read()
        assert process.returncode == 1
        report = released(rings, images.WORDPRESS_NEXT, "--bake", "3s", code=0)
    assert [load.failures for load in loads.values()] == [[], [], []]
    assert all(load.requests > 20 for load in loads.values())
    assert [(one["ring"], one["outcome"], one["tenants"]) for one in report["rings"]] == [
        (ring, "released", [name]) for name, ring in RINGS.items()
    ]
    # Its own probes and the visitors.
    assert all(one["tally"]["requests"] > 6 and one["tally"]["failures"] == 0 for one in report["rings"])
    assert report["rings"][-1]["left_out"] == {"e2e-ring-asleep": "suspended", "e2e-ring-frozen": "frozen"}
    assert {build(name) for name in RINGS} == {"next"}
    # A run that goes on takes no second backup of what it had begun.
    assert [len(list((rings.folder / "backups" / name).glob("*.zip"))) for name in RINGS] == [1, 1, 1]
    after = written(rings)
    assert after.count(images.WORDPRESS_NEXT) == 3
    assert after.startswith("# Whoever edits this file keeps its comments.\n")

    again = rings.siteforge("release", images.WORDPRESS_NEXT, "--bake", "10m")
    assert f"canary: has it already: {CANARY}\n" in again.stdout
    assert (
        again.stdout.endswith(f"3 tenants have {images.WORDPRESS_NEXT}\n") or "siteforge:wordpressImage" in again.stdout
    )

    back = released(rings, images.WORDPRESS_NEXT, "--rollback", code=0)
    assert back["outcome"] == "rolled back"
    assert written(rings) == CATALOGUE
    assert {build(name) for name in RINGS} == {"first"}
