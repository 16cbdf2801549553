import copy
import json
from typing import Any

import pytest

from siteforge.fleet.defaults import FILLED_IN, WRITTEN
from siteforge.fleet.differences import HIDDEN, Actor, Difference, differences, render, stray
from siteforge.secrets import derive
from siteforge.specs.manifest import Manifest
from siteforge.specs.objects import objects
from tests.support.blueprints import make

NIGHT = "2026-11-28T23:00:00Z"
MORNING = "2026-11-29T06:00:00Z"
KUBECTL = Actor("kubectl-edit", "Update", "", NIGHT)
CONTAINER = 'k:{"name":"wordpress"}'


def declared(kind: str, name: str = "wordpress", **fields: Any) -> Manifest:
    found = objects(make(**fields), derive("s" * 40, "blog-aku"))
    (manifest,) = [
        one.manifest for one in found if (one.manifest["kind"], one.manifest["metadata"]["name"]) == (kind, name)
    ]
    return manifest


def owner(fields: dict[str, Any], actor: Actor = KUBECTL) -> dict[str, Any]:
    """An entry of managedFields."""
    through = {"subresource": actor.subresource} if actor.subresource else {}
    return {
        "manager": actor.manager,
        "operation": actor.operation,
        "time": actor.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
        **through,
    }


def live(manifest: Manifest, *owners: dict[str, Any]) -> Manifest:
    """The manifest as the server has it after it was applied."""
    found = copy.deepcopy(manifest)
    found["metadata"] |= {
        "uid": "0d9f",
        "generation": 1,
        "creationTimestamp": MORNING,
        "managedFields": [owner({"f:metadata": {}}, Actor("siteforge", "Apply", "", MORNING)), *owners],
    }
    return found


def inside(*path: str, leaf: dict[str, Any] | None = None) -> dict[str, Any]:
    """FieldsV1 of one field."""
    fields: dict[str, Any] = leaf or {}
    for step in reversed(path):
        fields = {step if ":" in step else f"f:{step}": fields}
    return fields


POD = ("spec", "template", "spec")


def test_what_the_server_fills_in_is_no_difference() -> None:
    manifest = declared("Deployment")
    found = live(manifest)
    found["spec"]["template"]["spec"] |= {"dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler"}
    (container,) = found["spec"]["template"]["spec"]["containers"]
    container |= {"terminationMessagePath": "/dev/termination-log"}
    container["readinessProbe"]["successThreshold"] = 1
    found["status"] = {"replicas": 1}
    assert differences(manifest, found) == []


def test_a_deleted_object_is_told_and_one_that_is_going() -> None:
    manifest = declared("Service")
    assert differences(manifest, None) == [Difference("Service", "wordpress", "deleted")]
    found = live(manifest)
    found["metadata"]["deletionTimestamp"] = NIGHT
    expected = Difference("Service", "wordpress", "deleted", "metadata.deletionTimestamp", found=NIGHT)
    assert differences(manifest, found) == [expected]


def test_an_edit_is_told_with_both_values_and_who_made_it_and_when() -> None:
    manifest = declared("Deployment")
    found = live(manifest, owner(inside(*POD, "containers", CONTAINER, "image")))
    found["spec"]["template"]["spec"]["containers"][0]["image"] = "evil:1"
    field = "spec.template.spec.containers[name=wordpress].image"
    image = manifest["spec"]["template"]["spec"]["containers"][0]["image"]
    assert differences(manifest, found) == [
        Difference("Deployment", "wordpress", "changed", field, image, "evil:1", KUBECTL)
    ]


def test_an_edit_through_a_subresource_is_its_writers_and_a_status_is_nobodys() -> None:
    manifest = declared("Deployment")
    scale = Actor("kubectl", "Update", "scale", NIGHT)
    status = Actor("kube-controller-manager", "Update", "status", MORNING)
    found = live(
        manifest,
        owner(inside("spec", "replicas"), scale),
        owner(inside("status", "replicas"), status),
    )
    found["spec"]["replicas"] = 5
    found["status"] = {"replicas": 5}
    assert differences(manifest, found) == [
        Difference("Deployment", "wordpress", "changed", "spec.replicas", 1, 5, scale)
    ]


def test_a_label_that_is_added_through_the_status_is_an_addition_as_well() -> None:
    manifest = declared("Deployment")
    actor = Actor("curl", "Update", "status", NIGHT)
    found = live(manifest, owner(inside("status", "replicas") | inside("metadata", "labels", "team"), actor))
    found["metadata"]["labels"]["team"] = "x"
    assert [(one.field, one.by) for one in differences(manifest, found)] == [("metadata.labels.team", actor)]


def test_the_last_of_several_writers_is_named_and_nobody_for_what_was_removed() -> None:
    manifest = declared("ConfigMap")
    last = Actor("kubectl-patch", "Update", "", MORNING)
    found = live(manifest, owner(inside("data", "site.php"), last), owner(inside("data", "site.php")))
    found["data"]["site.php"] = "<?php"
    del found["data"]["health.php"]
    assert {(one.field, one.by) for one in differences(manifest, found)} == {
        ("data[site.php]", last),
        ("data[health.php]", None),
    }


def test_a_change_of_the_catalogue_that_is_not_applied_yet_is_ours() -> None:
    manifest = declared("Deployment", wordpress={"replicas": 2})
    ours = Actor("siteforge", "Apply", "", NIGHT)
    found = live(declared("Deployment"), owner(inside("spec", "replicas"), ours))
    (difference,) = differences(manifest, found)
    assert (difference.field, difference.by) == ("spec.replicas", ours)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("metadata", "labels", "team"), "x", "metadata.labels.team"),
        (("metadata", "annotations", "a.dev/b"), "x", "metadata.annotations[a.dev/b]"),
        (
            ("spec", "template", "metadata", "annotations", "a.dev/b"),
            "x",
            "spec.template.metadata.annotations[a.dev/b]",
        ),
        (("spec", "paused"), True, "spec.paused"),
        ((*POD, "hostNetwork"), True, "spec.template.spec.hostNetwork"),
        ((*POD, "securityContext", "supplementalGroups"), [0], "spec.template.spec.securityContext.supplementalGroups"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_field_that_somebody_added_is_told(path: tuple[str, ...], value: Any, field: str) -> None:
    manifest = declared("Deployment")
    found = live(manifest, owner(inside(*path)))
    part = found
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert differences(manifest, found) == [Difference("Deployment", "wordpress", "added", field, None, value, KUBECTL)]


def test_an_item_that_somebody_added_to_a_list_is_an_addition_wherever_it_stands() -> None:
    manifest = declared("Deployment")
    sidecar = {"name": "a-sidecar", "image": "miner:1"}
    variable = {"name": "A_VARIABLE", "value": "1"}
    found = live(
        manifest,
        owner(inside(*POD, "containers", 'k:{"name":"a-sidecar"}', leaf={".": {}, "f:image": {}, "f:name": {}})),
        owner(inside(*POD, "containers", CONTAINER, "env", 'k:{"name":"A_VARIABLE"}', leaf={".": {}, "f:name": {}})),
    )
    containers = found["spec"]["template"]["spec"]["containers"]
    containers[0]["env"].insert(0, variable)
    containers.insert(0, sidecar)
    assert [(one.change, one.field, one.found) for one in differences(manifest, found)] == [
        ("added", "spec.template.spec.containers[name=a-sidecar]", sidecar),
        ("added", "spec.template.spec.containers[name=wordpress].env[name=A_VARIABLE]", variable),
    ]


def test_a_port_is_matched_by_number_and_protocol() -> None:
    manifest = declared("Service")
    key = 'k:{"port":8080,"protocol":"TCP"}'
    found = live(manifest, owner(inside("spec", "ports", key, leaf={".": {}, "f:port": {}})))
    found["spec"]["ports"].insert(0, {"name": "more", "port": 8080, "protocol": "TCP", "targetPort": 22})
    found["spec"]["ports"][1]["targetPort"] = 8080
    assert [(one.change, one.field) for one in differences(manifest, found)] == [
        ("changed", "spec.ports[port=80,protocol=TCP].targetPort"),
        ("added", "spec.ports[port=8080,protocol=TCP]"),
    ]


def test_an_item_that_is_gone_is_a_change() -> None:
    manifest = declared("Deployment")
    found = live(manifest)
    mounts = found["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    gone = mounts.pop(0)
    (difference,) = differences(manifest, found)
    assert (difference.change, difference.wanted, difference.found) == ("changed", gone, None)
    assert difference.field == "spec.template.spec.containers[name=wordpress].volumeMounts[mountPath=/var/www/html]"


def test_the_order_of_items_with_keys_is_no_difference() -> None:
    manifest = declared("Deployment")
    found = live(manifest)
    found["spec"]["template"]["spec"]["volumes"].reverse()
    found["spec"]["template"]["spec"]["containers"][0]["env"].reverse()
    assert differences(manifest, found) == []


def test_a_list_that_is_one_value_is_compared_as_one() -> None:
    manifest = declared("NetworkPolicy")
    found = live(manifest, owner(inside("spec", "egress")))
    found["spec"]["egress"].append({})
    (difference,) = differences(manifest, found)
    assert (difference.change, difference.field, difference.by) == ("changed", "spec.egress", KUBECTL)
    assert difference.found == [*difference.wanted, {}]


def test_what_somebody_adds_to_a_part_that_is_one_value_is_an_addition() -> None:
    selector = declared("Service")
    found = live(selector, owner(inside("spec", "selector")))
    found["spec"]["selector"]["color"] = "green"
    assert [(one.change, one.field) for one in differences(selector, found)] == [("added", "spec.selector.color")]

    limits = declared("LimitRange", "tenant")
    found = live(limits, owner(inside("spec", "limits")))
    found["spec"]["limits"][0]["maxLimitRequestRatio"] = {"cpu": "4"}
    assert [(one.change, one.field) for one in differences(limits, found)] == [
        ("added", "spec.limits[0].maxLimitRequestRatio")
    ]


@pytest.mark.parametrize(
    ("spelled", "same"), [("1Gi", True), ("1024Mi", True), ("1048576Ki", True), ("1G", False), ("2Gi", False)]
)
def test_a_quantity_is_compared_by_its_value(spelled: str, same: bool) -> None:
    manifest = declared("PersistentVolumeClaim")
    assert manifest["spec"]["resources"]["requests"]["storage"] == "1Gi"
    found = live(manifest)
    found["spec"]["resources"]["requests"]["storage"] = spelled
    assert (differences(manifest, found) == []) is same


def test_a_text_that_looks_like_a_quantity_is_compared_as_text() -> None:
    manifest = declared("Deployment", wordpress={"env": {"SIZE": "1000m"}})
    found = live(manifest)
    for variable in found["spec"]["template"]["spec"]["containers"][0]["env"]:
        variable["value"] = variable["value"].replace("1000m", "1")
    (difference,) = differences(manifest, found)
    assert difference.field == "spec.template.spec.containers[name=wordpress].env[name=SIZE].value"


def test_what_a_secret_holds_is_never_told() -> None:
    manifest = declared("Secret")
    last = "kubectl.kubernetes.io/last-applied-configuration"
    owned = inside("data", leaf={"f:admin-password": {}, "f:more": {}})
    found = live(manifest, owner(owned | inside("metadata", "annotations", last)))
    found["data"] |= {"admin-password": "aHVudGVyMg==", "more": "aHVudGVyMw=="}
    found["metadata"]["annotations"][last] = json.dumps(manifest["data"])
    del found["data"]["auth-key"]
    told = differences(manifest, found)
    assert {(one.field, one.wanted, one.found) for one in told} == {
        ("data.admin-password", HIDDEN, HIDDEN),
        ("data.auth-key", HIDDEN, None),
        ("data.more", None, HIDDEN),
        (f"metadata.annotations[{last}]", None, HIDDEN),
    }


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: render(path))
def test_what_controllers_write_is_no_addition(path: tuple[str, ...]) -> None:
    site = declared("Deployment", wordpress={"autoscaling": {"maxReplicas": 3}})
    manifest = declared("CronJob", "wordpress-cron") if "jobTemplate" in path else site
    controller = Actor("kube-controller-manager", "Update", "", MORNING)
    found = live(manifest, owner(inside(*path), controller))
    part = found
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = ["x"] if path[-1] == "finalizers" else "1"
    assert differences(manifest, found) == []


@pytest.mark.parametrize("field", FILLED_IN)
def test_the_servers_own_value_is_no_addition_whoever_owns_it_and_another_one_is(field: str) -> None:
    manifest = declared("StatefulSet", "mariadb")
    found = live(manifest, owner(inside(*POD, field)))
    found["spec"]["template"]["spec"][field] = FILLED_IN[field]
    assert differences(manifest, found) == []
    found["spec"]["template"]["spec"][field] = "another"
    assert [one.change for one in differences(manifest, found)] == ["added"]


def test_replicas_of_a_site_without_an_autoscaler_are_compared() -> None:
    manifest = declared("Deployment")
    found = live(
        manifest, owner(inside("spec", "replicas"), Actor("kube-controller-manager", "Update", "scale", NIGHT))
    )
    found["spec"]["replicas"] = 3
    assert [one.field for one in differences(manifest, found)] == ["spec.replicas"]


def test_another_owner_of_the_same_value_is_no_difference() -> None:
    manifest = declared("Service")
    found = live(manifest, owner(inside("spec", "selector") | inside("metadata", "labels", "app.kubernetes.io/name")))
    assert differences(manifest, found) == []


def test_what_is_owned_and_no_longer_there_is_no_addition() -> None:
    manifest = declared("Service")
    assert differences(manifest, live(manifest, owner(inside("metadata", "labels", "gone")))) == []


def test_our_name_does_not_hide_an_edit_by_hand() -> None:
    manifest = declared("Service")
    found = live(manifest, owner(inside("metadata", "labels", "team"), Actor("siteforge", "Update", "", NIGHT)))
    found["metadata"]["labels"]["team"] = "x"
    assert [one.field for one in differences(manifest, found)] == ["metadata.labels.team"]


def test_a_stray_object_is_its_first_writers() -> None:
    first = Actor("kubectl-create", "Update", "", "2026-11-27T00:00:00Z")
    manifest = declared("Service")
    found = live(manifest, owner({}), owner({}, first))
    assert stray(found) == Difference("Service", "wordpress", "added", by=first)


def test_pulumi_mends_what_it_made_and_leaves_what_others_added() -> None:
    changes: dict[Any, bool] = {"deleted": True, "changed": True, "added": False}
    assert {change: Difference("Service", "x", change, by=KUBECTL).mended for change in changes} == changes
    left_over = Difference("Ingress", "wordpress", "added", by=Actor("siteforge", "Apply", "", NIGHT))
    assert left_over.mended
