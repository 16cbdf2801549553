"""A round of backups as a CronJob's pod takes it, into a bucket and onto a volume."""

import json
from collections.abc import Iterator

import pytest

from local import cluster, images
from siteforge.fleet.records import HOME
from tests.e2e.conftest import BLOG
from tests.support.address import reached_by_pods
from tests.support.commands import kubectl
from tests.support.s3 import BUCKET, S3
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

NAME = "siteforge-backups"
PLACE = f"s3://{BUCKET}/nightly"
NEVER = "0 0 31 2 *"
"""The tests say when."""
SECONDS = 240
"""Of a pod that has Siteforge and Pulumi started, on a machine that does much else."""


@pytest.fixture(scope="module")
def s3(running_cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    server = S3(tmp_path_factory.mktemp("s3"), reached_by_pods())
    yield server
    server.stop()


@pytest.fixture
def secrets(blog_stack: Stack, s3: S3) -> Iterator[None]:
    """What the command doesn't print; and in the end, all that the test made."""
    cluster.add_images([images.siteforge()])
    remove()
    environment = blog_stack.environment
    files = {"passphrase": environment["PULUMI_CONFIG_PASSPHRASE_FILE"]}
    kubectl("create", "namespace", HOME, check=False)
    make_secret(NAME, *(f"--from-file={key}={path}" for key, path in files.items()))
    make_secret(f"{NAME}-bucket", *(f"--from-literal={key}={value}" for key, value in s3.environment.items()))
    yield
    remove()


def make_secret(name: str, *what: str) -> None:
    secret = kubectl("create", "secret", "generic", name, "-n", HOME, *what, "--dry-run=client", "-o", "json")
    kubectl("apply", "-f", "-", stdin=secret)


def remove() -> None:
    own = ("-l", f"app.kubernetes.io/name={NAME}", "--ignore-not-found", "--timeout=120s")
    kubectl("delete", "cronjob,job,configmap,serviceaccount,persistentvolumeclaim", "-n", HOME, *own)
    kubectl("delete", "clusterrole,clusterrolebinding", *own)
    kubectl("delete", "secret", NAME, f"{NAME}-bucket", "-n", HOME, "--ignore-not-found")


def round_of_backups(stack: Stack, job: str, to: str) -> str:
    """Have the CronJob made, and its Job run to its end; returns what it logged."""
    given = ("--to", to, "--keep", "1", "--manifests", "--image", images.SITEFORGE, "--schedule", NEVER)
    kubectl("apply", "-f", "-", stdin=stack.siteforge("backup", "--all", *given, check=True).stdout)
    kubectl("create", "job", job, "-n", HOME, f"--from=cronjob/{NAME}")

    def log() -> str:
        return kubectl("logs", "-n", HOME, f"job/{job}", "--tail=-1", check=False)

    def over() -> bool:
        status = json.loads(kubectl("get", f"job/{job}", "-n", HOME, "-o", "json"))["status"]
        ended = {one["type"] for one in status.get("conditions", ()) if one["status"] == "True"}
        assert "Failed" not in ended, log()
        return "Complete" in ended

    eventually(f"the Job {job} to end", over, seconds=SECONDS, namespace=HOME, poll=1)
    return log()


def test_a_pod_backs_up_every_tenant_into_a_bucket_from_which_a_site_comes_back(
    blog: Stack, site: Site, s3: S3, secrets: None
) -> None:
    site.post("Before the night")
    log = round_of_backups(blog, "backups-bucket", PLACE)
    assert f"{PLACE}/{BLOG}/" in log
    assert s3.environment["AWS_SECRET_ACCESS_KEY"] not in log
    site.post("After the night")
    restored = ("restore", BLOG, "--at", "latest", "--from", PLACE, "--no-safety-backup")
    blog.siteforge(*restored, check=True, **s3.environment)
    assert "Before the night" in site.posts()
    assert "After the night" not in site.posts()


def test_a_pod_backs_up_onto_a_volume_and_keeps_what_the_rules_say(blog: Stack, secrets: None) -> None:
    first = round_of_backups(blog, "backups-first", "/backups")
    second = round_of_backups(blog, "backups-second", "/backups")
    (taken,) = [line.split()[-1] for line in first.splitlines() if "/backups/" in line and "removed" not in line]
    assert taken.startswith(f"/backups/{BLOG}/")
    assert f"removed {taken}" in second
