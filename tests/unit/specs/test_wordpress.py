import base64
import re
from typing import Any

import pytest

from siteforge.secrets import SALTS, Given, derive
from siteforge.specs import boundary, cron, wordpress
from siteforge.specs.admission import need
from tests.support.blueprints import make
from tests.support.hostile import TEXTS


def test_the_secret_holds_the_passwords_and_the_eight_salts() -> None:
    credentials = derive("s" * 40, "blog-aku")
    data = {key: base64.b64decode(value).decode() for key, value in wordpress.secret_data(credentials).items()}
    assert data.pop("admin-password") == credentials.admin_password
    assert data.pop("database-password") == credentials.database_password
    assert data == {name.lower().replace("_", "-"): value for name, value in credentials.salts.items()}
    assert len(data) == len(SALTS) == 8


def environment(**fields: object) -> dict[str, str]:
    (container,) = wordpress.deployment_spec(make(**fields), "")["template"]["spec"]["containers"]
    return {variable["name"]: variable["value"] for variable in container["env"]}


def expanded(text: str) -> str:
    """What the kubelet makes of a variable's value (kubernetes: third_party/forked/golang/expansion)."""
    return re.sub(r"\$(\$|\([^)]*\))", lambda found: "$" if found[1] == "$" else "EXPANDED", text)


@pytest.mark.parametrize("text", TEXTS)
def test_a_variable_or_title_reaches_the_container_as_it_is_written(text: str) -> None:
    assert expanded(environment(wordpress={"env": {"HOSTILE": text}})["HOSTILE"]) == text
    title = f"T{text}".replace("\n", " ").replace("\t", " ")
    (install,) = wordpress.deployment_spec(make(title=title), "")["template"]["spec"]["initContainers"]
    (given,) = [variable["value"] for variable in install["env"] if variable["name"] == "SITEFORGE_TITLE"]
    assert expanded(given) == title


def test_own_variables_are_the_last_to_be_added_and_replace_none() -> None:
    own = environment(wordpress={"env": {"FEATURE_FLAGS": "a"}})
    assert own == environment() | {"FEATURE_FLAGS": "a"}


def test_debugging_is_asked_of_the_image_which_defines_it_first() -> None:
    assert environment(wordpress={"extraConfig": {"WP_DEBUG": True}})["WORDPRESS_DEBUG"] == "1"
    for constants in ({}, {"WP_DEBUG": False}):
        assert "WORDPRESS_DEBUG" not in environment(wordpress={"extraConfig": constants})


@pytest.mark.parametrize(
    ("upload", "space"), [("1Mi", "512Mi"), ("256Mi", "512Mi"), ("300Mi", "600Mi"), ("512Mi", "1Gi")]
)
def test_two_of_the_largest_uploads_fit_into_the_scratch_space(upload: str, space: str) -> None:
    (tmp,) = [
        volume for volume in pod(wordpress={"php": {"uploadLimit": upload}})["volumes"] if volume["name"] == "tmp"
    ]
    assert tmp["emptyDir"]["sizeLimit"] == space


def test_an_external_database_is_where_the_site_looks_for_its_data() -> None:
    external = {"host": "db.example.com", "cidr": "10.20.0.0/16", "name": "lumi-shop", "user": "lumi"}
    found = environment(database={"external": external})
    assert (found["WORDPRESS_DB_HOST"], found["WORDPRESS_DB_NAME"], found["WORDPRESS_DB_USER"]) == (
        "db.example.com",
        "lumi-shop",
        "lumi",
    )


def test_the_password_of_a_mail_server_is_a_file_like_all_others() -> None:
    smtp = {"host": "smtp.example.com", "from": "a@example.com", "user": "lumi"}
    path = environment(wordpress={"smtp": smtp})["SITEFORGE_SMTP_PASSWORD_FILE"]
    data = wordpress.secret_data(derive("s" * 40, "blog-aku", given=Given(smtp="hunter2")))
    assert base64.b64decode(data[path.rpartition("/")[2]]).decode() == "hunter2"
    assert "smtp-password" not in wordpress.secret_data(derive("s" * 40, "blog-aku"))


def template(fingerprint: str = "one", **fields: object) -> dict[str, Any]:
    found: dict[str, Any] = wordpress.deployment_spec(make(**fields), fingerprint)["template"]
    return found


def test_pods_roll_when_credentials_or_scripts_change_and_not_for_a_number_of_replicas() -> None:
    assert template() == template()
    assert template("two") != template()
    assert template(wordpress={"resources": {"limits": {"memory": "1Gi"}}}) != template()
    for volume in ({}, SHARED):
        assert template(wordpress={"replicas": 3, **volume}) == template(wordpress={**volume})


def test_a_rollout_starts_a_new_pod_before_it_stops_an_old_one() -> None:
    spec = wordpress.deployment_spec(make(), "")
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    grace = spec["template"]["spec"]["terminationGracePeriodSeconds"]
    _, before_stop = spec["template"]["spec"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert int(before_stop) < grace


SHARED = {"volume": {"accessMode": "ReadWriteMany"}}


def pod(**fields: object) -> dict[str, Any]:
    found: dict[str, Any] = wordpress.deployment_spec(make(**fields), "")["template"]["spec"]
    return found


def test_pods_that_share_a_volume_of_one_node_are_kept_on_it() -> None:
    (term,) = pod()["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    assert term["labelSelector"]["matchLabels"].items() <= template()["metadata"]["labels"].items()
    assert "topologySpreadConstraints" not in pod()


def test_pods_whose_volume_is_on_every_node_are_spread_over_zones_and_nodes() -> None:
    constraints = pod(wordpress=SHARED)["topologySpreadConstraints"]
    assert [one["topologyKey"] for one in constraints] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    for one in constraints:
        assert one["labelSelector"]["matchLabels"].items() <= template()["metadata"]["labels"].items()
        assert one["whenUnsatisfiable"] == "ScheduleAnyway"
    assert "affinity" not in pod(wordpress=SHARED)


def most_stopped(**fields: object) -> object:
    return wordpress.disruption_budget(make(**fields))["spec"]["maxUnavailable"]


@pytest.mark.parametrize("replicas", [1, 3])
def test_a_drain_stops_one_pod_of_a_spread_site_and_all_of_one_on_a_single_node(replicas: int) -> None:
    """Spared pods of a single node would keep the stopped one from starting, and the drain from ending."""
    assert most_stopped(wordpress={"replicas": replicas}) == "100%"
    assert most_stopped(wordpress={"replicas": replicas, **SHARED}) == 1


def test_the_autoscalers_pods_are_not_set_back_and_are_in_the_quota_and_the_need() -> None:
    scaled = make(wordpress={"autoscaling": {"minReplicas": 2, "maxReplicas": 6}})
    assert "replicas" not in wordpress.deployment_spec(scaled, "")
    fixed = make(wordpress={"replicas": 6})
    assert boundary.quota(scaled) == boundary.quota(fixed)
    assert need(scaled) == need(fixed)


def test_the_autoscaler_scales_the_deployment_by_the_cpu_it_requests() -> None:
    scaled = make(wordpress={"autoscaling": {"minReplicas": 2, "maxReplicas": 6}})
    assert scaled.site.autoscaling is not None
    assert wordpress.autoscaler(scaled, scaled.site.autoscaling)["spec"] == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "wordpress"},
        "minReplicas": 2,
        "maxReplicas": 6,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
            }
        ],
    }


def test_the_service_is_named_wordpress_and_serves_port_80() -> None:
    service = wordpress.service(make())
    assert service["metadata"]["name"] == "wordpress"
    assert [port["port"] for port in service["spec"]["ports"]] == [80]


def test_no_configuration_changes_under_a_running_pod() -> None:
    files = set(wordpress.config_map(make())["data"])
    assert files == set(wordpress.config_map(make(suspended=True))["data"])
    mounted = []
    pages = pod(suspended=True)["containers"]
    for container in (*pod()["initContainers"], *pod()["containers"], *pages, *cron.pod(make())["containers"]):
        mounts = [mount for mount in container["volumeMounts"] if mount["name"] == "scripts"]
        assert mounts
        mounted.append({mount["subPath"] for mount in mounts})
    assert set().union(*mounted) == files


def suspended(**fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = wordpress.deployment_spec(make(suspended=True, **fields), "")
    return found


def test_a_suspended_site_is_one_page_without_volume_password_or_database() -> None:
    spec = suspended(wordpress={"replicas": 3})
    pod = spec["template"]["spec"]
    assert spec["replicas"] == 1
    assert "initContainers" not in pod
    assert {"persistentVolumeClaim", "secret"}.isdisjoint(key for volume in pod["volumes"] for key in volume)
    (container,) = pod["containers"]
    assert [variable["name"] for variable in container["env"]] == ["SITEFORGE_TITLE"]
    assert pod["securityContext"] == template()["spec"]["securityContext"]


def test_the_page_of_a_suspended_site_is_reached_like_the_site_and_decides_nothing_of_where_it_starts() -> None:
    page, site = suspended()["template"]["metadata"]["labels"], template()["metadata"]["labels"]
    selector = wordpress.service(make(suspended=True))["spec"]["selector"]
    assert selector.items() <= page.items()
    assert selector.items() <= site.items()
    (term,) = pod()["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert not term["labelSelector"]["matchLabels"].items() <= page.items()


def test_a_suspended_site_is_held_to_one_pod_and_its_quota_stays_for_its_return() -> None:
    line = {"autoscaling": {"minReplicas": 2, "maxReplicas": 5}}
    asleep, awake = make(suspended=True, wordpress=line), make(wordpress=line)
    held, scaled = wordpress.scaling(asleep), wordpress.scaling(awake)
    assert held is not None
    assert scaled is not None
    assert (held.min_replicas, held.max_replicas) == (1, 1)
    assert (scaled.min_replicas, scaled.max_replicas) == (2, 5)
    assert "replicas" not in suspended(wordpress=line)
    assert suspended()["replicas"] == 1
    assert boundary.quota(asleep) == boundary.quota(awake)
    assert need(asleep)["requests.memory"] < need(awake)["requests.memory"]
    assert need(asleep)["requests.storage"] == need(awake)["requests.storage"]


def test_a_page_takes_no_more_than_the_smallest_site() -> None:
    least = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"cpu": "10m", "memory": "64Mi"}}
    (container,) = suspended(wordpress={"resources": least})["template"]["spec"]["containers"]
    assert {kind: {key: container["resources"][kind][key] for key in given} for kind, given in least.items()} == least
