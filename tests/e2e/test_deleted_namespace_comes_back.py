from tests.support.commands import kubectl
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

NAMESPACE = "e2e-blog"


def test_a_deleted_namespace_comes_back_installed_but_without_its_posts(blog: Stack, site: Site) -> None:
    # docs/recovery.md says so: the volumes go with the namespace where their class deletes them.
    site.post("Gone with the namespace")
    kubectl("delete", "namespace", NAMESPACE, "--timeout=120s")
    assert blog.up().counts["created"] > 10
    eventually("the site of a recreated namespace", lambda: "Blog of the tests" in site.title(), namespace=NAMESPACE)
    assert site.posts() == {"Hello world!"}
    assert list(site.users()) == ["admin"], "the administrator's password is the same as before"
