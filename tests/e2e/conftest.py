"""The real engine and the real cluster: one cluster for all tests, one stack for those that can share it."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local import workspace
from siteforge.fleet.cluster import Cluster
from tests.support import hostile
from tests.support.clone import Clone
from tests.support.commands import kubectl
from tests.support.objects import all_declared
from tests.support.sharing import shared_cluster
from tests.support.site import Site
from tests.support.stack import Stack

_SHARED = ("blog_stack", "reached_stack", "clone")
"""What tests of several files share: one process runs them all."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a stack run in one process, in order; others that share nothing may run beside them."""
    for item in items:
        if "/e2e/" in str(item.path):
            shared = [name for name in _SHARED if name in getattr(item, "fixturenames", ())]
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.xdist_group(shared[0] if shared else item.path.stem))


@pytest.fixture(scope="session")
def running_cluster() -> Iterator[None]:
    """The local platform; every process that runs tests has the same."""
    with shared_cluster():
        yield


@pytest.fixture(scope="module")
def api(running_cluster: None) -> Iterator[Cluster]:
    """Siteforge's own connection to the local platform, which plain KUBECONFIG may not lead to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", workspace.variables()["KUBECONFIG"])
        with Cluster() as connection:
            yield connection


SECRET = "a secret of the tests, long enough to be one"

MakeStack = Callable[[str], Stack]


@contextlib.contextmanager
def stacks(folder: Path) -> Iterator[MakeStack]:
    """Makes stacks in a folder, and destroys them at the end."""
    made: list[Stack] = []

    def make(name: str) -> Stack:
        stack = Stack(folder / name, name)
        made.append(stack)
        # A secret reaches Pulumi by standard input: an argument could be read by every user of the machine.
        stack.pulumi("config", "set", "--secret", "siteforge:secret", stdin=SECRET)
        return stack

    yield make
    for stack in made:
        stack.destroy()


@pytest.fixture(scope="module")
def make_stack(running_cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeStack]:
    """Makes stacks, which are gone with the module: the pods of all modules together don't fit on the node."""
    with stacks(tmp_path_factory.mktemp("stacks")) as make:
        yield make


@pytest.fixture(scope="session")
def make_shared_stack(running_cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeStack]:
    """Makes stacks of several modules, and destroys them at the end of the run."""
    with stacks(tmp_path_factory.mktemp("shared")) as make:
        yield make


BLOG = "e2e-blog"


@pytest.fixture(scope="session")
def blog_stack(make_shared_stack: MakeStack) -> Stack:
    """A stack of one tenant, `e2e-blog`, that is up."""
    stack = make_shared_stack("blog")
    declare(stack)
    stack.up()
    return stack


@pytest.fixture
def blog(blog_stack: Stack) -> Iterator[Stack]:
    """The same, as its catalogue says before each test, and repaired after it."""
    before = all_declared(BLOG)
    yield blog_stack
    declare(blog_stack)
    if all_declared(BLOG) != before:
        blog_stack.up()
    for workload in ("statefulset/mariadb", "deployment/wordpress"):
        kubectl("rollout", "status", "-n", BLOG, workload, "--timeout=120s")


def declare(stack: Stack, *fields: str) -> None:
    """Write the catalogue of the shared stack: its tenant with more fields, each as a line of YAML."""
    tenant = ["title: Blog of the tests", "adminEmail: blog@example.com", "plan: nano", *fields]
    stack.catalogue("\n".join(["tenants:", f"  - name: {BLOG}", *(f"    {line}" for line in tenant)]))


REACHED = "e2e-reached"
DOMAINS = ["lumi.example.com", "www.lumi.example.com"]
MAIL_PORT = 2525


@pytest.fixture(scope="session")
def reached_stack(make_shared_stack: MakeStack) -> Stack:
    """A stack of one tenant, `e2e-reached`, with domains, TLS that ends upstream, and whatever reaches its PHP."""
    stack = make_shared_stack("reached")
    stack.configure("metricsNamespace", "monitoring")
    wordpress = {
        "php": {"memoryLimit": "200Mi", "uploadLimit": "100Mi", "maxExecutionTime": 77, "maxInputVars": 5000},
        "smtp": {"host": "127.0.0.1", "port": MAIL_PORT, "encryption": "none", "from": "shop@lumi.example.com"},
        "env": {f"HOSTILE_{number}": text for number, text in enumerate(hostile.TEXTS)},
        "extraConfig": hostile.CONSTANTS,
    }
    tenant = {
        "name": REACHED,
        "title": "Lumi Ceramics",
        "adminEmail": "hello@lumi.example.com",
        "plan": "nano",
        "domains": DOMAINS,
        "tls": {"upstream": True},
        "wordpress": wordpress,
    }
    # JSON is YAML, and quotes every text.
    stack.catalogue(json.dumps({"tenants": [tenant]}, ensure_ascii=False))
    stack.up()
    return stack


@pytest.fixture(scope="session")
def clone(running_cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A fresh clone of the repository, whose cluster, if a test starts one, is its own; removed at the end."""
    made = Clone(tmp_path_factory.mktemp("fresh") / "siteforge")
    yield made
    made.shell("make clean")
    assert not (made.folder / ".siteforge").exists()


@pytest.fixture(scope="session")
def site(blog_stack: Stack) -> Site:
    """The site of `e2e-blog`, whose passwords are derived: they are the same before each test."""
    return Site(BLOG, blog_stack.output("adminPasswords")[BLOG])
