import io
import json
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Iterator

import pytest

from siteforge.fleet import archives
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.election import Election
from siteforge.fleet.suspended import LEASE
from tests.e2e.conftest import BLOG, declare
from tests.support.commands import kubectl
from tests.support.objects import all_declared
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

COMMENT = "# kept by whoever edits this file"


def pods(role: str) -> list[str]:
    return kubectl("get", "pods", "-n", BLOG, "-l", f"app.kubernetes.io/name={role}", "-o", "name").split()


def condition(stack: Stack) -> str:
    """What `siteforge status` says of the tenant; its reasons are shown when the test fails."""
    done = stack.siteforge("status", BLOG, "--output", "json", check=False)
    data = json.loads(done.stdout)
    assert done.returncode == (0 if data["healthy"] else 1)
    print(json.dumps(data["tenants"][0].get("reasons"), indent=1))
    return str(data["tenants"][0]["condition"])


class Watch:
    """Asks for the front page all the time, and keeps what is answered."""

    def __init__(self, site: Site) -> None:
        self._site, self._done = site, threading.Event()
        self.answers: set[int] = set()
        self.failures: list[str] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        address = self._site.address
        while not self._done.wait(0.1):
            try:
                self.answers.add(self._site.get(address=address).status)
            except OSError as error:
                self.failures.append(str(error))


@pytest.fixture
def awake(blog: Stack) -> Iterator[Stack]:
    """The stack, whose tenant runs before and after the test."""
    declare(blog, COMMENT)
    yield blog
    declare(blog)
    blog.siteforge("up", "--tenant", BLOG)


def test_a_site_is_suspended_and_comes_back_with_all_its_data(awake: Stack, site: Site) -> None:
    number, path = site.post("Written before"), site.upload("kept.txt", b"kept")
    before = awake.folder.joinpath("tenants.yaml").read_text()

    with Watch(site) as watch:
        done = awake.siteforge("suspend", BLOG)
        assert f"tenants.yaml: {BLOG} is now suspended\n" in done.stdout
        eventually("Suspended", lambda: condition(awake) == "Suspended", namespace=BLOG)
        assert watch.failures == []
    assert watch.answers <= {200, 503}
    # The rest of the file is as it was, its comments among it.
    after = awake.folder.joinpath("tenants.yaml").read_text()
    assert after == before.replace(f"name: {BLOG}\n", f"name: {BLOG}\n    suspended: true\n")
    assert COMMENT in after

    page = site.get("/wp-admin/?p=1")
    assert (page.status, page.headers["retry-after"]) == (503, "3600")
    assert "Blog of the tests" in page.body
    assert "suspended" in page.body
    assert pods("mariadb") == []
    eventually("one page", lambda: len(pods("wordpress")) == 1, namespace=BLOG)
    assert kubectl("get", "statefulset/mariadb", "-n", BLOG, "-o", "jsonpath={.spec.replicas}") == "0"
    assert {"persistentvolumeclaim/mariadb", "persistentvolumeclaim/wordpress"} <= all_declared(BLOG).keys()

    awake.siteforge("drift", "--tenant", BLOG)
    shown = awake.siteforge("status")
    assert "1 tenant: 1 Suspended" in shown.stdout
    again = awake.siteforge("suspend", BLOG)
    assert f"{BLOG} is already suspended\n" in again.stdout
    assert "nothing to do" in again.stdout
    is_copied_as_it_is(awake)
    assert condition(awake) == "Suspended"
    assert awake.output("tenants")[BLOG]["suspended"]
    # Plain Pulumi takes it as it is, and waits for nothing.
    assert awake.up().counts.keys() == {"unchanged"}

    with Watch(site) as watch:
        awake.siteforge("resume", BLOG)
        eventually("Ready", lambda: condition(awake) == "Ready", namespace=BLOG)
        assert watch.failures == []
    # The page answers until the site does: nobody sees a site without its database.
    assert watch.answers == {200, 503}
    assert awake.folder.joinpath("tenants.yaml").read_text() == after.replace("true", "false")
    assert "Written before" in site.posts()
    assert site.get(f"/?p={number}").status in (200, 301)
    assert site.get(path).body == "kept"
    awake.siteforge("drift", "--tenant", BLOG)


def is_copied_as_it_is(stack: Stack) -> None:
    """What `siteforge backup` takes of the suspended tenant is what it had, and nothing is left in the cluster."""
    taken = json.loads(stack.siteforge("backup", BLOG, "--output", "json").stdout)
    with zipfile.ZipFile(stack.folder / taken["path"]) as archive:
        assert b"Written before" in archive.read(archives.DATABASE)
        with tarfile.open(fileobj=io.BytesIO(archive.read(archives.FILES))) as files:
            assert [one for one in files.getnames() if one.endswith("/kept.txt")]
    assert taken["wordpress_version"]
    left = kubectl("get", "pods", "-n", BLOG, "-l", "app.kubernetes.io/component=backup", "-o", "name")
    assert (left, pods("mariadb")) == ("", [])
    assert kubectl("get", "statefulset/mariadb", "-n", BLOG, "-o", "jsonpath={.spec.replicas}") == "0"


def test_a_backup_of_a_suspended_tenant_is_refused_while_it_still_runs_or_another_is_under_way(
    awake: Stack, api: Cluster
) -> None:
    awake.siteforge("suspend", BLOG, "--edit-only")
    running = awake.siteforge("backup", BLOG, check=False)
    assert (running.returncode, running.stdout) == (1, "")
    assert "the catalogue suspends it, and its database still runs - run `siteforge up` first" in running.stderr
    awake.siteforge("up")
    eventually("no database", lambda: pods("mariadb") == [], namespace=BLOG)
    other = Election(api, LEASE, BLOG, "another backup")
    other.start()
    try:
        eventually("the lease of another backup", lambda: other.leading, namespace=BLOG)
        second = awake.siteforge("backup", BLOG, check=False)
    finally:
        other.end()
    assert (second.returncode, second.stdout) == (1, "")
    assert f"{BLOG}: another backup of it is under way - wait until that has ended" in second.stderr


def test_what_a_killed_backup_of_a_suspended_tenant_left_is_removed_by_the_next(awake: Stack) -> None:
    awake.siteforge("suspend", BLOG)
    eventually("no database", lambda: pods("mariadb") == [], namespace=BLOG)
    copies = [
        "get",
        "pods",
        "-n",
        BLOG,
        "-l",
        "app.kubernetes.io/component=backup",
        "-o",
        "jsonpath={.items[*].metadata.uid}",
    ]
    with awake.start("backup", BLOG, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        eventually("its two pods", lambda: len(kubectl(*copies).split()) == 2, namespace=BLOG)
        process.kill()
    left = kubectl(*copies)
    assert len(left.split()) == 2
    awake.siteforge("backup", BLOG)
    assert kubectl(*copies) == ""


def test_an_edit_can_be_seen_before_it_is_made_and_made_without_a_run(awake: Stack) -> None:
    before = awake.folder.joinpath("tenants.yaml").read_text()
    seen = awake.siteforge("suspend", BLOG, "--dry-run").stdout
    assert "+    suspended: true\n" in seen
    assert awake.folder.joinpath("tenants.yaml").read_text() == before
    awake.siteforge("suspend", BLOG, "--edit-only")
    told = awake.siteforge("status", BLOG, check=False)
    assert told.returncode == 1
    assert "it runs, and the catalogue suspends it" in told.stdout
    # Plain Pulumi suspends it as well, and brings it back.
    assert awake.up().counts["updated"] == 4
    eventually("Suspended", lambda: condition(awake) == "Suspended", namespace=BLOG)


def test_a_site_that_follows_its_load_is_suspended_and_follows_it_again(awake: Stack, site: Site) -> None:
    declare(awake, "wordpress: {autoscaling: {minReplicas: 2, maxReplicas: 2}}")
    awake.siteforge("up", "--tenant", BLOG)
    eventually("two pods", lambda: len(pods("wordpress")) == 2, namespace=BLOG)
    awake.siteforge("suspend", BLOG)
    eventually("Suspended", lambda: condition(awake) == "Suspended", namespace=BLOG)
    eventually("one page", lambda: len(pods("wordpress")) == 1, namespace=BLOG)
    assert site.get().status == 503
    awake.siteforge("drift", "--tenant", BLOG)
    awake.siteforge("resume", BLOG)
    eventually("two pods", lambda: len(pods("wordpress")) == 2, namespace=BLOG)
    assert site.serves()


def test_a_tenant_that_is_not_there_is_not_suspended(awake: Stack) -> None:
    done = awake.siteforge("suspend", "e2e-blok", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "tenants.yaml: no tenant e2e-blok - did you mean e2e-blog?\n"
