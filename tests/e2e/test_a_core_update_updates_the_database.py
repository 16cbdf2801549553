"""What a core of another version does to the database.

There is one version of WordPress here, under two tags. That the new one wants another schema is made so by giving the
database the number of an older one, and taking an index away that the older one didn't have.
"""

import json

from local import images
from tests.e2e.conftest import BLOG, declare
from tests.support.commands import kubectl
from tests.support.load import Load
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

OLDER = 51000
INDEX = "comment_author_email"
UPDATING = "siteforge: updating the database"


def database(sql: str) -> str:
    script = f'MYSQL_PWD="$(cat /opt/siteforge/secrets/root-password)" mariadb -u root wordpress -N -e "{sql}"'
    return kubectl("exec", "-n", BLOG, "mariadb-0", "-c", "mariadb", "--", "sh", "-c", script).strip()


def version() -> int:
    return int(database("SELECT option_value FROM wp_options WHERE option_name = 'db_version'"))


def said() -> list[str]:
    """What the pods' installations said, by pod."""
    pods = json.loads(kubectl("get", "pods", "-n", BLOG, "-l", "app.kubernetes.io/name=wordpress", "-o", "json"))[
        "items"
    ]
    names = [pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    return [kubectl("logs", name, "-n", BLOG, "-c", "install") for name in names]


def inside(*command: str) -> str:
    return kubectl("exec", "-n", BLOG, "deploy/wordpress", "-c", "wordpress", "--", *command)


def test_a_core_that_wants_another_schema_gets_it_once_before_visitors_reach_it(blog: Stack, site: Site) -> None:
    # By hand and before: a Deployment that is scaled with its image starts one more pod of the old image first.
    kubectl("scale", "deployment/wordpress", "-n", BLOG, "--replicas=2")
    kubectl("rollout", "status", "deployment/wordpress", "-n", BLOG, "--timeout=180s")
    current = version()
    database(f"UPDATE wp_options SET option_value = {OLDER} WHERE option_name = 'db_version'")
    database(f"ALTER TABLE wp_comments DROP INDEX {INDEX}")
    site.post("Written before the update")
    declare(blog, f'wordpress: {{image: "{images.WORDPRESS_NEXT}", replicas: 2}}')
    with Load(site.address) as load:
        blog.up()
    assert (load.failures, load.requests > 20) == ([], True)
    eventually("two pods", lambda: len(said()) == 2, namespace=BLOG)
    # Both pods went through the same script; one of them found something to do.
    assert all("siteforge: the site is installed" in log for log in said())
    assert sum(log.count(UPDATING) for log in said()) == 1
    assert any(f"{UPDATING} from version {OLDER} to {current}\n" in log for log in said())
    assert version() == current
    assert INDEX in database("SHOW INDEX FROM wp_comments")
    assert "Written before the update" in site.posts()
    assert site.get().headers["x-siteforge-build"] == "next"


def test_an_older_core_leaves_the_database_of_a_newer_one_alone_and_serves(blog: Stack, site: Site) -> None:
    current = version()
    database("UPDATE wp_options SET option_value = 99999 WHERE option_name = 'db_version'")
    try:
        # Not `rollout restart`, which would leave an annotation that others find as drift.
        kubectl("delete", "pods", "-n", BLOG, "-l", "app.kubernetes.io/name=wordpress")
        kubectl("rollout", "status", "deployment/wordpress", "-n", BLOG, "--timeout=180s")
        eventually("one pod", lambda: len(said()) == 1, namespace=BLOG)
        assert "the database is of version 99999, this older core's is" in said()[0]
        assert version() == 99999
        assert site.serves()
    finally:
        database(f"UPDATE wp_options SET option_value = {current} WHERE option_name = 'db_version'")


def test_maintenance_mode_is_no_unreadiness(blog: Stack, site: Site) -> None:
    file = "/var/www/html/.maintenance"
    inside("sh", "-c", f"echo '<?php $upgrading = time();' > {file}")
    try:
        assert site.get().status == 503
        answer = site.get("/siteforge-health.php?ready")
        assert (answer.status, answer.body) == (200, "ready\n")
    finally:
        inside("rm", file)
    assert site.serves()
