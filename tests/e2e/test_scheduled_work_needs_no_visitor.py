import json
import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.e2e.conftest import BLOG
from tests.support.commands import kubectl
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

JOB = "cron-of-a-test"


@pytest.fixture
def job() -> Iterator[str]:
    kubectl("delete", "job", JOB, "-n", BLOG, "--ignore-not-found")
    yield JOB
    kubectl("delete", "job", JOB, "-n", BLOG, "--ignore-not-found")


# WordPress takes a post of the next minute for one of now: it is written for later, and an hour passes.
OVERDUE = """
require '/var/www/html/wp-load.php';
$later = gmdate('Y-m-d H:i:s', time() + 3600);
$dates = ['post_date' => $later, 'post_date_gmt' => $later];
$post = wp_insert_post(['post_title' => $argv[1], 'post_content' => 'x', 'post_status' => 'future'] + $dates);
$now = gmdate('Y-m-d H:i:s', time() - 1);
$wpdb->update($wpdb->posts, ['post_date' => $now, 'post_date_gmt' => $now], ['ID' => $post]);
wp_clear_scheduled_hook('publish_future_post', [$post]);
wp_schedule_single_event(time() - 1, 'publish_future_post', [$post]);
echo get_post_status($post);
"""


def overdue(title: str) -> None:
    """A post that is due, and that WordPress publishes in its scheduled work."""
    inside = ["exec", "-n", BLOG, "deploy/wordpress", "-c", "wordpress", "--"]
    assert kubectl(*inside, "php", "-r", OVERDUE, "--", title).endswith("future")


def asked() -> list[str]:
    """The requests for the site's scheduled work, in the logs of all its pods."""
    pods = ("logs", "-n", BLOG, "-l", "app.kubernetes.io/name=wordpress", "-c", "wordpress", "--tail=-1")
    return [line for line in kubectl(*pods).splitlines() if "wp-cron.php" in line]


def status(stack: Stack) -> str:
    return str(json.loads(stack.siteforge("status", BLOG, "--output", "json").stdout)["tenants"][0]["cron"])


def test_a_scheduled_post_is_published_by_the_cron_job_and_status_says_when(blog: Stack, site: Site, job: str) -> None:
    overdue("Written for later")
    assert "Written for later" not in site.posts()
    assert site.serves()
    before = time.time()
    kubectl("create", "job", "--from=cronjob/wordpress-cron", job, "-n", BLOG)
    kubectl("wait", "--for=condition=complete", f"job/{job}", "-n", BLOG, "--timeout=120s")
    assert "Written for later" in site.posts()
    # Apache logs a request at its end, and WordPress answers before.
    eventually("the request in the log", asked, namespace=BLOG)
    # Nobody else asked for it: no visit of a page did.
    assert all(line.endswith('"siteforge-cron"') for line in asked())
    eventually(
        "the success in the status",
        lambda: status(blog) and datetime.fromisoformat(status(blog)).timestamp() >= int(before),
        namespace=BLOG,
    )
    assert " CRON " in blog.siteforge("status", BLOG, "--output", "wide").stdout
    blog.siteforge("drift", "--tenant", BLOG)
