"""The whole program, `__main__.py`, against the mocks."""

import base64
import json
import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest

from tests.support import mocks

ROOT = Path(__file__).parents[2]
CATALOGUE = str(ROOT / "tenants.yaml")
CONFIG = {
    "catalogue": CATALOGUE,
    "wordpressImage": "registry.example/wordpress:1",
    "databaseImage": "registry.example/mariadb:1",
    "imagePullPolicy": "Always",
    "ingressNamespace": "ingress-nginx",
    "secret": "s" * 40,
}


def program() -> None:
    runpy.run_path(str(ROOT / "__main__.py"))


def test_every_tenant_of_the_catalogue_is_registered_through_one_provider() -> None:
    recording = mocks.run(program, CONFIG)
    tenants = [resource for resource in recording.resources if resource.type == "siteforge:index:Tenant"]
    assert {tenant.name for tenant in tenants} == {"blog-aku", "shop-lumi", "club-otava"}
    (provider,) = [resource for resource in recording.resources if resource.type == "pulumi:providers:kubernetes"]
    used = {resource.provider for resource in recording.resources if resource.type.startswith("kubernetes:")}
    assert len(used) == 1
    assert f"::{provider.name}::" in used.pop()


def test_secrets_and_config_maps_are_changed_in_place() -> None:
    provider = mocks.run(program, CONFIG).one("pulumi:providers:kubernetes", "kubernetes")
    assert provider.inputs["enableSecretMutable"] == "true"
    assert provider.inputs["enableConfigMapMutable"] == "true"


def test_the_stacks_images_serve_tenants_that_name_none() -> None:
    recording = mocks.run(program, CONFIG)
    deployment = recording.one("kubernetes:apps/v1:Deployment", "blog-aku-wordpress-deployment")
    pod = deployment.inputs["spec"]["template"]["spec"]
    images = {container["image"] for container in pod["containers"] + pod["initContainers"]}
    assert images == {"registry.example/wordpress:1"}


def test_the_sites_are_open_to_the_stacks_ingress_controller() -> None:
    recording = mocks.run(program, CONFIG | {"ingressNamespace": "edge"})
    policy = recording.one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "blog-aku-wordpress-network-policy")
    controller = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "edge"}}}
    assert controller in policy.inputs["spec"]["ingress"][0]["from"]


def test_images_are_pulled_as_the_stack_says() -> None:
    for policy in ("Always", "IfNotPresent"):
        recording = mocks.run(program, CONFIG | {"imagePullPolicy": policy})
        workloads = [one for one in recording.resources if one.type.startswith("kubernetes:apps/v1:")]
        pods = [one.inputs["spec"]["template"]["spec"] for one in workloads]
        containers = [one for pod in pods for one in (*pod["containers"], *pod.get("initContainers", []))]
        assert {container["imagePullPolicy"] for container in containers} == {policy}


def test_a_wrong_pull_policy_is_refused() -> None:
    message = failure({**CONFIG, "imagePullPolicy": "Never"})
    assert message == "siteforge:imagePullPolicy: not one of the choices (Never) - use 'Always' or 'IfNotPresent'"


def test_a_stack_that_renders_shows_no_secret_and_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SITEFORGE_SECRET_FILE", raising=False)
    recording = mocks.run(program, {**CONFIG, "secret": "", "render": "/nowhere"})
    secrets = [one for one in recording.resources if one.type == "kubernetes:core/v1:Secret"]
    assert len(secrets) == 6
    for one in secrets:
        assert set(one.inputs["data"].values()) == {"REDACTED"}
    provider = recording.one("pulumi:providers:kubernetes", "kubernetes")
    assert provider.inputs == {"renderYamlToDirectory": "/nowhere"}


@pytest.mark.parametrize("other", [{"secret": "s" * 40}, {"secret": "", "context": "prod"}])
def test_a_stack_of_a_cluster_is_not_turned_into_one_that_renders(other: dict[str, str]) -> None:
    message = failure({**CONFIG, **other, "render": "/nowhere"})
    assert message.startswith(f"siteforge:render beside siteforge:{'context' if 'context' in other else 'secret'}: ")


def test_every_field_of_the_catalogue_reaches_its_tenant() -> None:
    everything = ROOT / "tests" / "catalogue" / "valid" / "everything.yaml"
    recording = mocks.run(program, CONFIG | {"catalogue": str(everything)})
    pod = recording.one("kubernetes:apps/v1:Deployment", "blog-aku-wordpress-deployment").inputs["spec"]["template"]
    assert pod["spec"]["nodeSelector"]["disktype"] == "ssd"
    assert pod["spec"]["tolerations"][1]["tolerationSeconds"] == 300
    policy = recording.one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "busy-wordpress-network-policy")
    assert "ipBlock" not in repr(policy.inputs["spec"])
    assert recording.one("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", "blog-aku-owner-role-binding")
    scaler = recording.one("kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "busy-wordpress-autoscaler")
    assert scaler.inputs["spec"]["maxReplicas"] == 8


REACHING = str(ROOT / "tests" / "catalogue" / "valid" / "reaching.yaml")
PASSWORDS = {
    "shop-lumi": {"database": "hunter-of-databases", "smtp": "hunter-of-mail"},
    "blog-aku": {"database": "hunter-of-another"},
}
REACHING_CONFIG = CONFIG | {"catalogue": REACHING, "passwords": json.dumps(PASSWORDS)}
INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"


def reaching(**config: str) -> mocks.Recording:
    return mocks.run(program, REACHING_CONFIG | config)


def test_domains_and_external_servers_of_the_catalogue_reach_their_tenants() -> None:
    recording = reaching(ingressClass="public")
    ingress = recording.one(INGRESS, "shop-lumi-wordpress-ingress").inputs
    assert ingress["spec"]["ingressClassName"] == "public"
    assert ingress["spec"]["tls"][0]["hosts"] == ["lumi.example.com", "www.lumi.example.com", "xn--bcher-kva.example"]
    assert ingress["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"
    data = recording.one("kubernetes:core/v1:Secret", "shop-lumi-wordpress-secret").inputs["data"]["value"]
    assert base64.b64decode(data["database-password"]).decode() == "hunter-of-databases"
    assert base64.b64decode(data["smtp-password"]).decode() == "hunter-of-mail"
    sets = [resource.name for resource in recording.resources if resource.type.endswith(":StatefulSet")]
    assert sets == ["club-otava-database-stateful-set"]


def test_the_stack_decides_whether_an_ingress_is_waited_for() -> None:
    ingress = reaching(awaitIngress="true").one(INGRESS, "shop-lumi-wordpress-ingress")
    assert "pulumi.com/skipAwait" not in ingress.inputs["metadata"]["annotations"]


def test_the_passwords_of_external_servers_are_shown_nowhere() -> None:
    for resource in reaching().resources:
        assert "hunter" not in repr(resource.inputs) + repr(resource.outputs), resource.name


def failure(config: dict[str, str], *, plain_secret: bool = False, **world: Any) -> str:
    """What Pulumi shows when the program gives up; it must have registered nothing by then."""
    recordings: list[str] = []

    def failing() -> None:
        with pytest.raises(pulumi.RunError) as error:
            program()
        recordings.append(str(error.value))

    recording = mocks.run(failing, config, plain_secret=plain_secret, **world)
    assert [resource for resource in recording.resources if resource.type.startswith("kubernetes:")] == []
    return recordings[0]


def test_a_wrong_catalogue_registers_nothing_and_shows_its_messages(tmp_path: Path) -> None:
    path = tmp_path / "tenants.yaml"
    path.write_text("tenants:\n  - name: Blog\n    title: T\n    adminEmail: nobody\n")
    lines = failure({**CONFIG, "catalogue": str(path)}).splitlines()
    assert [line.split(" ")[0] for line in lines] == [f"{path}:2:11:", f"{path}:4:17:"]


@pytest.mark.parametrize(
    ("namespace", "message"),
    [
        ("Edge", "siteforge:ingressNamespace: not the name of a namespace (Edge) - see `kubectl get namespaces`"),
        (
            "shop-lumi",
            "siteforge:ingressNamespace: shop-lumi is a tenant's own namespace"
            " - name that of the ingress controller, or rename the tenant",
        ),
    ],
)
def test_a_wrong_namespace_of_the_ingress_controller_is_refused(namespace: str, message: str) -> None:
    assert failure({**CONFIG, "ingressNamespace": namespace}) == message


def test_a_tenant_does_not_live_with_what_reads_the_sites_metrics() -> None:
    assert failure({**CONFIG, "metricsNamespace": "shop-lumi"}) == (
        "siteforge:metricsNamespace: shop-lumi is a tenant's own namespace"
        " - name that of what scrapes metrics, or rename the tenant"
    )


def test_a_tenant_for_whose_server_nobody_gave_a_password_is_named_with_the_command_that_does() -> None:
    assert failure({**REACHING_CONFIG, "passwords": '{"shop-lumi": {"smtp": "hunter2"}}'}).splitlines() == [
        f"{REACHING}: tenant {name}: no password for its database server"
        f" - pulumi config set --secret --path siteforge:passwords.{name}.database"
        for name in ("shop-lumi", "blog-aku")
    ]


ADOPTED = json.dumps({"shop-lumi": {"adopted": json.dumps({"version": 1, "values": {"hunter2": "x"}})}})


@pytest.mark.parametrize(
    "given", ['{"shop-lumi": "hunter2"}', '{"shop-lumi": {"hunter2": "x"}}', '["hunter2"]', ADOPTED]
)
def test_passwords_of_a_wrong_form_are_refused_and_not_shown(given: str) -> None:
    message = failure({**REACHING_CONFIG, "passwords": given})
    assert message.startswith("siteforge:passwords has a wrong form, in 1 places - pulumi config set --secret")
    assert "hunter2" not in message


def test_what_an_adopted_tenant_had_reaches_its_secrets_until_its_credentials_are_rotated(tmp_path: Path) -> None:
    adopted = json.dumps({"version": 1, "values": {"admin-password": "their own", "salt-NONCE_KEY": "their salt"}})
    line = "tenants:\n  - name: shop-lumi\n    title: T\n    adminEmail: a@example.com\n    credentialsVersion: {}\n"
    found = []
    for version in (1, 2):
        (tmp_path / "tenants.yaml").write_text(line.format(version))
        config = {
            "catalogue": str(tmp_path / "tenants.yaml"),
            "passwords": json.dumps({"shop-lumi": {"adopted": adopted}}),
        }
        recording = mocks.run(program, CONFIG | config)
        secret = recording.one("kubernetes:core/v1:Secret", "shop-lumi-wordpress-secret").inputs["data"]["value"]
        found.append({key: base64.b64decode(secret[key]).decode() for key in ("admin-password", "nonce-key")})
    assert found[0] == {"admin-password": "their own", "nonce-key": "their salt"}
    assert all(value.startswith("sfg_") for value in found[1].values())


def test_passwords_in_plain_text_are_refused_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("s" * 40)
    monkeypatch.setenv("SITEFORGE_SECRET_FILE", str(tmp_path / "secret"))
    message = failure({**REACHING_CONFIG, "secret": ""}, plain_secret=True)
    assert message.startswith("siteforge:passwords stand in the stack's configuration in plain text")
    assert "hunter" not in message


def test_a_gateway_and_a_certificate_of_the_tenants_own_are_refused_together() -> None:
    lines = failure({**REACHING_CONFIG, "gateway": "edge/public"}).splitlines()
    assert lines == [
        f"{REACHING}: tenant {name}: tls: the Gateway edge/public has the certificates, in its listeners"
        " - write tls: {upstream: true}"
        for name in ("shop-lumi", "blog-aku")
    ]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("gateway", "public", "siteforge:gateway: not a gateway (public) - write its namespace and name"),
        ("ingressClass", "A B", "siteforge:ingressClass: not the name of an ingress class (A B) - see `kubectl"),
    ],
)
def test_a_wrong_way_in_is_refused(key: str, value: str, message: str) -> None:
    assert failure({**CONFIG, key: value}).startswith(message)


def test_a_catalogue_over_the_budget_registers_nothing() -> None:
    message = failure({**CONFIG, "budget": '{"cpu": 1, "memory": "64Gi"}'})
    assert message == (
        f"{CATALOGUE}: the catalogue needs 1130m of cpu (requests), over the cluster budget of 1"
        " - shrink the largest (blog-aku 610m, club-otava 260m, shop-lumi 260m) or raise siteforge:budget.cpu"
    )


def test_a_catalogue_whose_quotas_are_over_their_budget_registers_nothing() -> None:
    message = failure({**CONFIG, "budget": '{"quotas": {"pods": 14}}'})
    assert message == (
        f"{CATALOGUE}: the quotas add up to 15 pods, over the cluster budget of quotas of 14"
        " - shrink the largest (blog-aku 5, club-otava 5, shop-lumi 5) or raise siteforge:budget.quotas.pods"
    )


def test_a_budget_that_makes_no_sense_is_refused_by_field_and_value() -> None:
    budget = '{"cpus": 4, "cpu": "many", "memory": 0, "pods": "3", "quotas": {"pod": 1}}'
    message = failure({**CONFIG, "budget": budget})
    assert message.splitlines() == [
        "siteforge:budget.cpu: not an amount of CPU (many) - write it as in 64",
        "siteforge:budget.memory: less than 1Gi (0) - write it as in 256Gi",
        "siteforge:budget.pods: not a whole number (3) - write digits only, without quotes, as in 2",
        "siteforge:budget.quotas.pod: unknown key - did you mean pods?",
        "siteforge:budget.cpus: unknown key - did you mean cpu?",
    ]


def test_a_missing_secret_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SITEFORGE_SECRET_FILE", raising=False)
    assert "pulumi config set --secret siteforge:secret" in failure({**CONFIG, "secret": ""})


def test_a_short_secret_is_refused_without_showing_it() -> None:
    message = failure({**CONFIG, "secret": "hunter2"})
    assert "7 characters" in message
    assert "hunter2" not in message


def test_the_secret_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    path.write_text("s" * 40 + "\n")
    monkeypatch.setenv("SITEFORGE_SECRET_FILE", str(path))
    from_file = mocks.run(program, {**CONFIG, "secret": ""})
    from_config = mocks.run(program, CONFIG)
    name = ("kubernetes:core/v1:Secret", "blog-aku-wordpress-secret")
    assert from_file.one(*name).inputs["data"] == from_config.one(*name).inputs["data"]


def test_an_unreadable_secret_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEFORGE_SECRET_FILE", str(tmp_path / "none"))
    assert str(tmp_path / "none") in failure({**CONFIG, "secret": ""})


def test_a_secret_in_plain_text_is_refused_without_showing_it() -> None:
    message = failure(CONFIG, plain_secret=True)
    assert "plain text" in message
    assert CONFIG["secret"] not in message
