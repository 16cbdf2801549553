import re

from siteforge import names

LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


def test_labels_of_a_role_contain_its_selector() -> None:
    for role in (names.WORDPRESS, names.DATABASE):
        assert names.selector("blog-aku", role).items() <= names.role_labels("blog-aku", role).items()


def test_selectors_of_tenants_and_roles_differ() -> None:
    selectors = [names.selector(tenant, role) for tenant in ("a", "b") for role in (names.WORDPRESS, names.DATABASE)]
    assert len({tuple(sorted(selector.items())) for selector in selectors}) == 4


def test_the_longest_tenant_name_gives_valid_labels_and_hosts() -> None:
    tenant = "a" * 63
    for role in (names.WORDPRESS, names.DATABASE):
        assert all(LABEL_VALUE.fullmatch(value) for value in names.role_labels(tenant, role).values())
    assert max(map(len, names.service_host(tenant).split("."))) <= 63


def test_a_namespace_is_named_after_its_tenant() -> None:
    assert names.namespace("blog-aku") == "blog-aku"
