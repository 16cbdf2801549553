import pytest

from tests.support.commands import kubectl
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

NAMESPACE = "e2e-blog"

# Deleted together where none hides another's absence: each run of Pulumi costs seconds.
DELETED = {
    "Deployment": ["deployment/wordpress"],
    "Service": ["service/wordpress", "service/mariadb", "service/mariadb-headless"],
    "quota, limits and policies": [
        *("resourcequota/tenant", "limitrange/tenant", "networkpolicy/tenant", "networkpolicy/wordpress"),
        *(
            "networkpolicy/mariadb",
            "cronjob/wordpress-cron",
            "poddisruptionbudget/wordpress",
            "poddisruptionbudget/mariadb",
        ),
    ],
    "database": ["statefulset/mariadb"],
    "what pods mount": ["secret/wordpress", "secret/mariadb", "configmap/wordpress"],
    "everything but the data": [
        *("deployment/wordpress", "service/wordpress", "resourcequota/tenant", "secret/wordpress"),
        *("statefulset/mariadb", "serviceaccount/wordpress", "serviceaccount/mariadb"),
    ],
}


@pytest.mark.parametrize("what", DELETED)
def test_what_was_deleted_is_shown_by_preview_and_comes_back_on_up(blog: Stack, site: Site, what: str) -> None:
    secrets = data()
    kubectl("delete", "-n", NAMESPACE, *DELETED[what], "--wait=true")
    assert blog.preview().counts["created"] == len(DELETED[what])
    result = blog.up()
    assert result.counts["created"] == len(DELETED[what])
    # Pulumi may also go for what is not healthy at that moment, as the site without its database.
    assert set(result.counts) <= {"created", "updated", "unchanged"}, result.output
    eventually(f"the site after {what} came back", site.serves, namespace=NAMESPACE)
    assert data() == secrets, "passwords are derived: they come back the same"
    assert "admin" in list(site.users())


def data() -> str:
    """All secret values."""
    return kubectl("get", "secret", "wordpress", "mariadb", "-n", NAMESPACE, "-o", "jsonpath={.items[*].data}")
