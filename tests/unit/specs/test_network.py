"""The shape of the policies; tests/policy/test_network.py has what they do."""

from typing import Any

import pytest

from siteforge.blueprint import Ingress
from siteforge.specs import database, network, wordpress
from siteforge.specs.manifest import Manifest
from tests.support.blueprints import make


def rules(policy: Manifest) -> list[dict[str, Any]]:
    return [rule for way in ("ingress", "egress") for rule in policy["spec"].get(way, [])]


@pytest.mark.parametrize("find", [network.closed, network.site, network.data, network.certificates])
def test_every_policy_is_about_both_directions(find: Any) -> None:
    assert find(make())["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_the_namespace_is_closed_for_every_pod() -> None:
    policy = network.closed(make())
    assert policy["spec"]["podSelector"] == {}
    assert rules(policy) == []


@pytest.mark.parametrize("find", [network.site, network.data, network.certificates])
def test_no_rule_is_for_everybody_or_for_every_port(find: Any) -> None:
    """A rule or peer that is empty, or a list without an entry, means "all" in Kubernetes."""
    for rule in rules(find(make())):
        peers = rule.get("from", rule.get("to"))
        assert peers
        assert all(selector for peer in peers for selector in peer.values())
        assert rule["ports"]
        assert all(set(port) == {"protocol", "port"} for port in rule["ports"])


def servers(**fields: Any) -> list[tuple[list[dict[str, Any]], int]]:
    """Where the site may go by ports that are none of the usual ones."""
    egress = network.site(make(**fields))["spec"]["egress"]
    return [(rule["to"], rule["ports"][0]["port"]) for rule in egress if rule["ports"][0]["port"] in (2525, 3307)]


@pytest.mark.parametrize(
    ("server", "block"),
    [
        ({"host": "10.20.0.5"}, "10.20.0.5/32"),
        ({"host": "2001:db8::5"}, "2001:db8::5/128"),
        ({"host": "server.example.com", "cidr": "10.20.0.0/16"}, "10.20.0.0/16"),
        ({"host": "10.20.0.5", "cidr": "10.20.0.0/24"}, "10.20.0.0/24"),
    ],
)
def test_a_server_outside_is_reached_by_its_address_or_network_and_port(server: dict[str, str], block: str) -> None:
    to = [{"ipBlock": {"cidr": block}}]
    assert servers(database={"external": server | {"port": 3307}}) == [(to, 3307)]
    assert servers(wordpress={"smtp": server | {"port": 2525, "from": "a@example.com"}}) == [(to, 2525)]


def test_a_mail_server_that_is_only_a_name_is_in_the_internet() -> None:
    smtp = {"host": "smtp.example.com", "port": 2525, "from": "a@example.com"}
    ((peers, _),) = servers(wordpress={"smtp": smtp, "internetAccess": False})
    assert all("except" in peer["ipBlock"] for peer in peers)


@pytest.mark.parametrize("find", [network.closed, network.site, network.data, network.certificates])
def test_no_list_is_empty_as_the_server_would_not_keep_it(find: Any) -> None:
    assert [] not in find(make())["spec"].values()


def test_a_role_is_selected_by_what_its_workload_puts_on_its_pods() -> None:
    pods = {
        network.site: wordpress.deployment_spec(make(), "")["template"],
        network.data: database.stateful_set_spec(make(), "")["template"],
    }
    for find, template in pods.items():
        selector = find(make())["spec"]["podSelector"]["matchLabels"]
        assert selector.items() <= template["metadata"]["labels"].items()


def test_the_sites_policy_is_about_its_pods_and_those_that_ask_for_scheduled_work() -> None:
    policy, instance = network.site(make())["spec"], {"app.kubernetes.io/instance": make().name}
    names = [{"key": "app.kubernetes.io/name", "operator": "In", "values": ["wordpress", "wordpress-cron"]}]
    selector = {"matchLabels": instance, "matchExpressions": names}
    assert policy["podSelector"] == selector
    assert {"podSelector": selector} in policy["ingress"][0]["from"]
    # The database answers the site alone.
    (rule,) = network.data(make())["spec"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": instance | {"app.kubernetes.io/name": "wordpress"}}}]


def test_a_site_without_internet_access_has_one_rule_less() -> None:
    site, cut_off = (network.site(make(wordpress={"internetAccess": given}))["spec"] for given in (True, False))
    assert cut_off["egress"] == site["egress"][:-1]
    assert site["ingress"] == cut_off["ingress"]


def test_what_reads_metrics_is_let_in_at_their_port_only_where_it_is_named() -> None:
    named = network.site(make(Ingress(metrics_namespace="monitoring")))["spec"]["ingress"]
    assert named[:-1] == network.site(make())["spec"]["ingress"]
    namespace = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    assert named[-1] == {"from": [namespace], "ports": [{"protocol": "TCP", "port": 9117}]}
