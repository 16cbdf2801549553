from typing import Any

from siteforge.specs import owners
from tests.support.blueprints import make

RULES: list[dict[str, Any]] = owners.role(make())["rules"]
GRANTED = {
    (group, kind, verb)
    for rule in RULES
    for group in rule["apiGroups"]
    for kind in rule["resources"]
    for verb in rule["verbs"]
}


def test_owners_change_nothing_but_pods_which_they_may_only_delete() -> None:
    changes = {granted for granted in GRANTED if granted[2] not in {"get", "list", "watch"}}
    assert changes == {("", "pods", "delete"), ("", "pods/portforward", "create")}


def test_owners_see_no_secret_and_run_no_command_in_a_pod() -> None:
    kinds = {kind for _, kind, _ in GRANTED}
    assert not kinds & {"secrets", "pods/exec", "pods/attach", "pods/ephemeralcontainers", "serviceaccounts/token"}


def test_nothing_is_granted_for_all_kinds_groups_or_verbs() -> None:
    assert "*" not in {part for granted in GRANTED for part in granted}


def test_the_binding_names_each_user_and_group_of_the_catalogue() -> None:
    tenant = make(owners={"users": ["aku@example.com", "mei"], "groups": ["bloggers"]})
    binding = owners.role_binding(tenant)
    group = "rbac.authorization.k8s.io"
    assert binding["roleRef"] == {"apiGroup": group, "kind": "Role", "name": owners.role(tenant)["metadata"]["name"]}
    assert binding["subjects"] == [
        {"apiGroup": group, "kind": "User", "name": "aku@example.com"},
        {"apiGroup": group, "kind": "User", "name": "mei"},
        {"apiGroup": group, "kind": "Group", "name": "bloggers"},
    ]
