import base64
from typing import Any, cast

import pulumi
import pytest

from siteforge import Tenant, TenantArgs, TenantArgsError
from tests.support import mocks
from tests.support.mocks import Recording

SECRET = "s" * 40
ARGS = TenantArgs(title="Aku", admin_email="aku@example.com", secret=SECRET, plan="nano")


def tenant(args: TenantArgs = ARGS, name: str = "blog-aku") -> Recording:
    return mocks.run(lambda: Tenant(name, args))


def test_a_tenant_is_a_tree_of_components_with_stable_types_and_names() -> None:
    recording = tenant()
    boundary, database, site = "blog-aku-boundary", "blog-aku-database", "blog-aku-wordpress"
    assert {(resource.type, resource.name, resource.parent) for resource in recording.resources} == {
        ("siteforge:index:Tenant", "blog-aku", ""),
        ("siteforge:index:Boundary", boundary, "blog-aku"),
        ("kubernetes:core/v1:Namespace", "blog-aku-namespace", boundary),
        ("kubernetes:core/v1:ResourceQuota", "blog-aku-quota", boundary),
        ("kubernetes:core/v1:LimitRange", "blog-aku-limits", boundary),
        ("kubernetes:networking.k8s.io/v1:NetworkPolicy", "blog-aku-network-policy", boundary),
        ("siteforge:index:Database", database, "blog-aku"),
        ("kubernetes:core/v1:Secret", "blog-aku-database-secret", database),
        ("kubernetes:core/v1:ServiceAccount", "blog-aku-database-service-account", database),
        ("kubernetes:core/v1:PersistentVolumeClaim", "blog-aku-database-claim", database),
        ("kubernetes:core/v1:Service", "blog-aku-database-service", database),
        ("kubernetes:core/v1:Service", "blog-aku-database-headless-service", database),
        ("kubernetes:networking.k8s.io/v1:NetworkPolicy", "blog-aku-database-network-policy", database),
        ("kubernetes:policy/v1:PodDisruptionBudget", "blog-aku-database-disruption-budget", database),
        ("kubernetes:apps/v1:StatefulSet", "blog-aku-database-stateful-set", database),
        ("siteforge:index:WordPress", site, "blog-aku"),
        ("kubernetes:core/v1:Secret", "blog-aku-wordpress-secret", site),
        ("kubernetes:core/v1:ConfigMap", "blog-aku-wordpress-config-map", site),
        ("kubernetes:core/v1:ServiceAccount", "blog-aku-wordpress-service-account", site),
        ("kubernetes:core/v1:PersistentVolumeClaim", "blog-aku-wordpress-claim", site),
        ("kubernetes:core/v1:Service", "blog-aku-wordpress-service", site),
        ("kubernetes:networking.k8s.io/v1:NetworkPolicy", "blog-aku-wordpress-network-policy", site),
        ("kubernetes:policy/v1:PodDisruptionBudget", "blog-aku-wordpress-disruption-budget", site),
        ("kubernetes:apps/v1:Deployment", "blog-aku-wordpress-deployment", site),
        ("kubernetes:batch/v1:CronJob", "blog-aku-wordpress-cron-job", site),
    }


def added(args: TenantArgs) -> set[tuple[str, str, str]]:
    """What these arguments add to a plain tenant."""
    more, plain = (
        {(resource.type, resource.name, resource.parent) for resource in tenant(which).resources}
        for which in (args, ARGS)
    )
    return more - plain


def test_a_site_that_follows_its_load_gets_an_autoscaler() -> None:
    scaled: TenantArgs = {**ARGS, "wordpress": {"autoscaling": {"max_replicas": 5}}}
    autoscaler = ("kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "blog-aku-wordpress-autoscaler")
    assert added(scaled) == {(*autoscaler, "blog-aku-wordpress")}
    deployment = tenant(scaled).one("kubernetes:apps/v1:Deployment", "blog-aku-wordpress-deployment")
    assert "replicas" not in deployment.inputs["spec"]


def test_of_a_suspended_tenant_the_page_is_there_before_the_database_stops_and_is_held_to_one_pod() -> None:
    line: TenantArgs = {**ARGS, "wordpress": {"autoscaling": {"max_replicas": 5}}}
    recording = tenant({**line, "suspended": True})
    database = recording.one("kubernetes:apps/v1:StatefulSet", "blog-aku-database-stateful-set")
    assert database.inputs["spec"]["replicas"] == 0
    assert "blog-aku-wordpress-deployment" in database.depends_on
    awake = tenant(line).one("kubernetes:apps/v1:StatefulSet", "blog-aku-database-stateful-set")
    assert "blog-aku-wordpress-deployment" not in awake.depends_on
    scaling = recording.one("kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "blog-aku-wordpress-autoscaler")
    assert (scaling.inputs["spec"]["minReplicas"], scaling.inputs["spec"]["maxReplicas"]) == (1, 1)


def test_owners_get_a_role_in_the_boundary() -> None:
    assert added({**ARGS, "owners": {"users": ["aku@example.com"], "groups": ["bloggers"]}}) == {
        ("kubernetes:rbac.authorization.k8s.io/v1:Role", "blog-aku-owner-role", "blog-aku-boundary"),
        ("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", "blog-aku-owner-role-binding", "blog-aku-boundary"),
    }


def test_a_wrong_pull_policy_is_refused_by_tenant_and_field() -> None:
    with pytest.raises(TenantArgsError) as error:
        tenant({**ARGS, "image_pull_policy": "Never"})
    expected = "tenant blog-aku: image_pull_policy: Input should be 'Always' or 'IfNotPresent' (Never)"
    assert str(error.value) == expected


SITE = "blog-aku-wordpress"
DOMAINS: TenantArgs = {**ARGS, "domains": ["Lumi.example.com.", "www.lumi.example.com"]}
GATEWAY: TenantArgs = {**DOMAINS, "tls": {"upstream": True}, "ingress": {"gateway": "edge/public"}}
ISSUER: TenantArgs = {**DOMAINS, "tls": {"issuer": "letsencrypt"}}
INGRESS = ("kubernetes:networking.k8s.io/v1:Ingress", f"{SITE}-ingress", SITE)


def test_domains_add_an_ingress_which_waits_for_the_service() -> None:
    assert added(DOMAINS) == {INGRESS}
    ingress = tenant(DOMAINS).one(*INGRESS[:2])
    assert f"{SITE}-service" in ingress.depends_on
    assert [rule["host"] for rule in ingress.inputs["spec"]["rules"]] == ["lumi.example.com", "www.lumi.example.com"]


def test_a_certificate_of_an_issuer_adds_a_policy_for_its_checks() -> None:
    policy = ("kubernetes:networking.k8s.io/v1:NetworkPolicy", f"{SITE}-certificates-network-policy", SITE)
    assert added(ISSUER) == {INGRESS, policy}
    assert added({**DOMAINS, "tls": {"secret_name": "lumi-tls"}}) == {INGRESS}


def test_a_gateway_gets_a_route_instead_of_an_ingress() -> None:
    route = ("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute", f"{SITE}-http-route", SITE)
    assert added(GATEWAY) == {route}
    assert tenant(GATEWAY).one(*route[:2]).inputs["spec"]["parentRefs"][0]["namespace"] == "edge"


@pytest.mark.parametrize(("tls", "scheme"), [({}, "http"), ({"tls": {"issuer": "letsencrypt"}}, "https")])
def test_the_first_domain_is_the_sites_address(tls: dict[str, Any], scheme: str) -> None:
    outputs = tenant(cast(TenantArgs, {**DOMAINS, **tls})).one("siteforge:index:Tenant", "blog-aku").outputs
    assert outputs is not None
    assert outputs["url"] == f"{scheme}://lumi.example.com"
    assert outputs["domains"] == ["lumi.example.com", "www.lumi.example.com"]


ELSEWHERE: TenantArgs = {
    **ARGS,
    "wordpress": {"smtp": {"host": "smtp.example.com", "sender": "a@example.com", "user": "lumi"}},
    "database": {"external": {"host": "10.20.0.5"}},
    "database_password": "hunter2",
    "smtp_password": "hunter3",
}


def test_a_tenant_whose_database_is_kept_elsewhere_has_nothing_of_one() -> None:
    recording = tenant(ELSEWHERE)
    assert not [resource.name for resource in recording.resources if "database" in resource.name]
    assert len(recording.resources) == len(tenant().resources) - 9


def test_the_passwords_of_others_servers_are_in_the_sites_secret_and_nowhere_else() -> None:
    recording = tenant(ELSEWHERE)
    data = recording.one("kubernetes:core/v1:Secret", f"{SITE}-secret").inputs["data"]
    assert data[mocks.SECRET_KEY]
    assert base64.b64decode(data["value"]["database-password"]) == b"hunter2"
    assert base64.b64decode(data["value"]["smtp-password"]) == b"hunter3"
    for resource in recording.resources:
        assert "hunter" not in repr(resource.inputs) + repr(resource.outputs), resource.name


@pytest.mark.parametrize("args", [ARGS, ISSUER, GATEWAY, ELSEWHERE])
def test_every_object_has_the_kind_of_the_class_that_placed_it(args: TenantArgs) -> None:
    for resource in tenant(args).resources:
        if resource.custom:
            group, _, kind = resource.type.removeprefix("kubernetes:").partition(":")
            assert resource.inputs["kind"] == kind
            assert resource.inputs["apiVersion"] == group.removeprefix("core/")


def test_every_component_registers_its_outputs() -> None:
    components = [resource for resource in tenant().resources if not resource.custom]
    assert len(components) == 4
    assert all(component.outputs is not None for component in components)


def test_a_tenant_tells_where_it_is_and_not_its_password() -> None:
    assert tenant().one("siteforge:index:Tenant", "blog-aku").outputs == {
        "namespace": "blog-aku",
        "service": "wordpress",
        "url": "http://wordpress.blog-aku.svc.cluster.local",
        "domains": [],
        "reach": "kubectl port-forward --namespace blog-aku service/wordpress 8080:80",
        "admin_user": "admin",
    }


def test_secrets_are_secret_inputs_and_stand_nowhere_else() -> None:
    recording = tenant()
    for name in ("blog-aku-database-secret", "blog-aku-wordpress-secret"):
        data = recording.one("kubernetes:core/v1:Secret", name).inputs["data"]
        assert data[mocks.SECRET_KEY], "the engine would store it in plain text"
    values = [
        value
        for name in ("blog-aku-database-secret", "blog-aku-wordpress-secret")
        for value in recording.one("kubernetes:core/v1:Secret", name).inputs["data"]["value"].values()
    ]
    others = [resource for resource in recording.resources if not resource.type.endswith(":Secret")]
    for resource in others:
        assert not [value for value in values if value in repr(resource.inputs)], resource.name


@pytest.mark.parametrize("args", [ARGS, ISSUER, GATEWAY, ELSEWHERE])
def test_everything_is_made_after_its_boundary(args: TenantArgs) -> None:
    for resource in tenant(args).resources:
        if resource.custom and resource.parent != "blog-aku-boundary":
            closed = {f"blog-aku-{role}" for role in ("namespace", "quota", "limits", "network-policy")}
            assert closed <= resource.depends_on, resource.name


def test_workloads_are_stopped_and_all_else_goes_with_the_namespace() -> None:
    custom = [resource for resource in tenant().resources if resource.custom]
    alone = {resource.name for resource in custom if not resource.deleted_with}
    assert alone == {"blog-aku-namespace", "blog-aku-database-stateful-set", "blog-aku-wordpress-deployment"}
    assert {resource.deleted_with for resource in custom} == {"", "blog-aku-namespace"}


def test_workloads_are_made_after_what_they_mount() -> None:
    recording = tenant()
    deployment = recording.one("kubernetes:apps/v1:Deployment", "blog-aku-wordpress-deployment")
    assert {f"blog-aku-wordpress-{role}" for role in ("secret", "config-map", "service-account", "claim")} <= (
        deployment.depends_on
    )
    stateful_set = recording.one("kubernetes:apps/v1:StatefulSet", "blog-aku-database-stateful-set")
    assert {f"blog-aku-database-{role}" for role in ("secret", "service-account", "claim")} <= stateful_set.depends_on


def test_no_service_waits_for_its_workload_which_would_wait_for_it() -> None:
    recording = tenant()
    for name in ("blog-aku-wordpress-service", "blog-aku-database-service"):
        depends_on = recording.one("kubernetes:core/v1:Service", name).depends_on
        assert not {name for name in depends_on if name.endswith(("-deployment", "-stateful-set"))}


def test_only_the_databases_restart_is_announced() -> None:
    hooks = {resource.name: resource.hooks for resource in tenant().resources if resource.hooks}
    assert hooks == {"blog-aku-database-stateful-set": ["siteforge-announce-database-restart"]}


@pytest.mark.parametrize("args", [ARGS, ISSUER, GATEWAY, ELSEWHERE])
def test_every_object_names_its_field_manager_and_repairs_what_others_changed(args: TenantArgs) -> None:
    for resource in tenant(args).resources:
        if resource.custom:
            annotations = resource.inputs["metadata"]["annotations"]
            assert annotations["pulumi.com/patchFieldManager"] == "siteforge", resource.name
            assert annotations["pulumi.com/patchForce"] == "true", resource.name


def test_two_tenants_share_no_name_and_no_credential() -> None:
    def program() -> None:
        Tenant("blog-aku", ARGS)
        Tenant("shop-lumi", ARGS)

    recording = mocks.run(program)
    assert len(recording.names()) == len(recording.resources) == 50
    data = [
        recording.one("kubernetes:core/v1:Secret", f"{name}-wordpress-secret").inputs["data"]["value"]
        for name in ("blog-aku", "shop-lumi")
    ]
    assert not set(data[0].values()) & set(data[1].values())


def test_a_secret_may_be_an_output() -> None:
    plain = tenant()
    output = mocks.run(lambda: Tenant("blog-aku", {**ARGS, "secret": pulumi.Output.secret(SECRET)}))
    for name in ("blog-aku-database-secret", "blog-aku-wordpress-secret"):
        type_ = "kubernetes:core/v1:Secret"
        assert output.one(type_, name).inputs["data"] == plain.one(type_, name).inputs["data"]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("Blog", {}, "tenant Blog: name: not a valid tenant name (Blog)"),
        ("blog-aku", {"plan": "gigantic"}, "tenant blog-aku: plan: there is no such plan (gigantic) - use one of nano"),
        ("blog-aku", {"adminEmail": "a@example.com"}, "tenant blog-aku: adminEmail: Extra inputs"),
        (
            "blog-aku",
            {"wordpress": {"resources": {"requests": {"cpu": "3"}}}},
            "tenant blog-aku: wordpress.resources.requests.cpu: requests 3 of cpu, over its limit of 500m",
        ),
        (
            "blog-aku",
            {"owners": {"groups": ["system:masters"]}},
            "tenant blog-aku: owners.groups.0: reserved: Kubernetes' own, some of which everybody is (system:masters)"
            " - name a person or a group of yours",
        ),
        (
            "blog-aku",
            {"wordpress": {"replicas": 2, "autoscaling": {"max_replicas": 3}}},
            "tenant blog-aku: wordpress.replicas: replicas beside autoscaling - remove replicas: ",
        ),
        (
            "blog-aku",
            {"wordpress": {"autoscaling": {"min_replicas": 4, "max_replicas": 3}}},
            "tenant blog-aku: wordpress.autoscaling.min_replicas: at least 4 replicas, at most 3",
        ),
        (
            "blog-aku",
            {"database": {"scheduling": {"tolerations": [{"key": "dedicated"}]}}},
            "tenant blog-aku: database.scheduling.tolerations.0: operator Equal without a value",
        ),
        (
            "blog-aku",
            {"database": {"scheduling": {"node_selector": {"bad key": "a"}}}},
            "tenant blog-aku: database.scheduling.node_selector.bad key: not the key of a label (bad key) - write",
        ),
        (
            "blog-aku",
            {"domains": ["lumi.example.com", "LUMI.example.com"]},
            "tenant blog-aku: domains: lumi.example.com twice",
        ),
        ("blog-aku", {"tls": {"upstream": True}}, "tenant blog-aku: tls: tls without domains - add domains"),
        (
            "blog-aku",
            {"domains": ["a.example.com"], "tls": {"issuer": "le"}, "ingress": {"gateway": "edge/public"}},
            "tenant blog-aku: tls: the Gateway edge/public has the certificates, in its listeners",
        ),
        ("blog-aku", {"ingress": {"gateway": "edge"}}, "tenant blog-aku: ingress.gateway: not a gateway (edge)"),
        ("blog-aku", {"ingress": {"class_name": "A B"}}, "tenant blog-aku: ingress.class_name: not the name of an ing"),
        ("blog-aku", {"ingress": {"class": "nginx"}}, "tenant blog-aku: ingress.class: Extra inputs"),
        (
            "blog-aku",
            {"wordpress": {"env": {"A_TOKEN": "x"}}},
            "tenant blog-aku: wordpress.env.A_TOKEN: the name",
        ),
        (
            "blog-aku",
            {"wordpress": {"extra_config": {"WP_HOME": "x"}}},
            "tenant blog-aku: wordpress.extra_config.WP_HOME: reserved: Siteforge sets it (WP_HOME)",
        ),
        (
            "blog-aku",
            {"wordpress": {"php": {"memory_limit": "1Gi"}}},
            "tenant blog-aku: wordpress.php.memory_limit: one request may take 1Gi, the whole container 256Mi",
        ),
        (
            "blog-aku",
            {"database": {"external": {"host": "10.20.0.5"}, "volume": {"size": "2Gi"}}, "database_password": "x"},
            "tenant blog-aku: database.volume: volume of a database that is kept elsewhere - remove it",
        ),
        (
            "blog-aku",
            {"database": {"external": {"host": "10.20.0.5"}}},
            "tenant blog-aku: database_password: missing - the database server is not the tenant's own",
        ),
        (
            "blog-aku",
            {"ingress": {"namespace": "Edge"}},
            "tenant blog-aku: ingress.namespace: not the name of a namespace (Edge) - see `kubectl get namespaces`",
        ),
        (
            "blog-aku",
            {"ingress": {"namespace": "blog-aku"}},
            "tenant blog-aku: ingress.namespace: the tenant's own namespace (blog-aku)"
            " - name that of the ingress controller, or rename the tenant",
        ),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_registered(
    name: str, change: dict[str, Any], message: str
) -> None:
    registered: list[str] = []

    def program() -> None:
        with pytest.raises(TenantArgsError) as error:
            Tenant(name, cast(TenantArgs, {**ARGS, **change}))
        registered.append(str(error.value))

    assert mocks.run(program).resources == []
    assert registered[0].startswith(message)


def test_the_errors_of_arguments_are_shown_by_pulumi_without_a_traceback() -> None:
    assert issubclass(TenantArgsError, pulumi.RunError)


def test_a_tenant_of_a_program_cannot_be_frozen_by_its_arguments() -> None:
    with pytest.raises(TenantArgsError, match="frozen: a Tenant makes what it says"):
        tenant(cast(TenantArgs, {**ARGS, "frozen": True}))
