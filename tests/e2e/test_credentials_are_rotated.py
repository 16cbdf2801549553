import xmlrpc.client

import pytest

from tests.e2e.conftest import declare
from tests.support.commands import kubectl
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

NAMESPACE = "e2e-blog"


def root_may_enter(password: str) -> bool:
    """Whether root's password is this one; it goes to the client by its standard input."""
    command = [
        "exec",
        "-i",
        "-n",
        NAMESPACE,
        "mariadb-0",
        "--",
        "sh",
        "-c",
        "MYSQL_PWD=$(cat) mariadb -uroot -e 'SELECT 1'",
    ]
    return "1" in kubectl(*command, stdin=password, check=False)


def mounted(key: str) -> str:
    path = f"/opt/siteforge/secrets/{key}"
    return kubectl("exec", "-n", NAMESPACE, "mariadb-0", "--", "cat", path)


def test_a_site_works_before_and_after_it_gets_new_passwords(blog: Stack, site: Site) -> None:
    site.post("Before the rotation")
    old_root, old_user = mounted("root-password"), mounted("password")
    assert root_may_enter(old_root)
    declare(blog, "credentialsVersion: 2")
    assert "restarts the database" in blog.preview().output
    blog.up()
    eventually("the site after the rotation", site.serves, namespace=NAMESPACE)
    assert set(blog.up().counts) == {"unchanged"}

    new = Site(NAMESPACE, blog.output("adminPasswords")[NAMESPACE])
    assert new.password != site.password
    assert "admin" in list(new.users())
    assert "Before the rotation" in new.posts()
    with pytest.raises(xmlrpc.client.Fault):
        list(site.users())
    assert mounted("password") != old_user
    assert root_may_enter(mounted("root-password"))
    assert not root_may_enter(old_root)
