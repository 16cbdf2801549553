import pytest

from local import images
from tests.e2e.conftest import declare
from tests.support.commands import kubectl
from tests.support.load import Load
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

NAMESPACE = "e2e-blog"

CHANGES = {
    "less memory and cpu": "resources: {requests: {cpu: 50m, memory: 96Mi}, limits: {cpu: 400m, memory: 224Mi}}",
    "more memory and cpu": "resources: {requests: {cpu: 200m, memory: 192Mi}, limits: {cpu: 900m, memory: 512Mi}}",
    "image": f'image: "{images.WORDPRESS_NEXT}"',
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_wordpress_rolls_with_zero_failed_requests(blog: Stack, site: Site, change: str) -> None:
    declare(blog, f"wordpress: {{{CHANGES[change]}}}")
    with Load(site.address) as load:
        result = blog.up()
    assert result.counts["updated"] >= 1
    assert load.failures == []
    assert load.requests > 20
    if change == "image":
        assert site.get().headers["x-siteforge-build"] == "next"


def test_a_post_and_an_uploaded_file_survive_an_image_change_and_the_pods_deletion(blog: Stack, site: Site) -> None:
    site.post("Survivor")
    path = site.upload("survivor.txt", b"still here")
    declare(
        blog,
        f'wordpress: {{image: "{images.WORDPRESS_NEXT}"}}',
        f'database: {{image: "{images.MARIADB_NEXT}"}}',
    )
    assert "restarts the database" in blog.preview().output
    blog.up()
    kubectl("delete", "pods", "--all", "-n", NAMESPACE, "--wait=true")
    eventually("the site after its pods were deleted", site.serves, namespace=NAMESPACE)
    assert "Survivor" in site.posts()
    assert site.get(path).body == "still here"
