import dataclasses
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from siteforge.cli import status_view
from siteforge.fleet.diagnosis import Cause, Reason
from siteforge.fleet.differences import Difference
from siteforge.fleet.status import Condition, Happening, LogEnd, TenantStatus, status, with_drift
from tests.support import namespaces
from tests.support.blueprints import make
from tests.support.cli import siteforge

NOW = datetime(2026, 11, 29, 1, tzinfo=UTC)


def tenant(name: str) -> TenantStatus:
    return status(make(name=name, domains=["blog.example.com"]), "dev", namespaces.seen(namespaces.healthy(name)))


FAILING = dataclasses.replace(
    tenant("shop"),
    condition=Condition.DEGRADED,
    reasons=(Reason(Cause.IMAGE_PULL, "pod/wordpress-1", "wordpress", "not found"),),
    events=(Happening("2026-11-29T00:55:00Z", "Warning", "Failed", "pod/wordpress-1", "Error: ErrImagePull", 3),),
    logs=(LogEnd("wordpress-1", "wordpress", ("a line",)),),
)


@pytest.mark.parametrize(
    ("since", "wanted"),
    {
        "": "-",
        "2026-11-29T00:59:31Z": "29s",
        "2026-11-29T00:01:00Z": "59m",
        "2026-11-28T01:30:00Z": "23h",
        "2026-11-01T00:00:00Z": "28d",
        "2027-01-01T00:00:00Z": "0s",
    }.items(),
)
def test_ages(since: str, wanted: str) -> None:
    assert status_view.age(since, NOW) == wanted


def test_a_table_has_a_line_a_tenant_a_count_and_what_is_known_of_failures() -> None:
    lines = status_view.table([tenant("blog"), FAILING], NOW, wide=False).plain.splitlines()
    assert lines[0].split() == [head for head, _ in status_view._COLUMNS]
    assert lines[1].split() == [
        *("blog", "Ready", "2/2", "0", "6.8.3", "50%", "pods", "1Gi,", "1Gi", "1h", "1h", "http://blog.example.com")
    ]
    assert lines[2].endswith("http://blog.example.com  the image can't be pulled")
    assert lines[3:5] == ["", "2 tenants: 1 Degraded, 1 Ready"]
    assert lines[6:] == [
        "shop  Degraded",
        f"  {FAILING.reasons[0]}",
        "  events",
        "      5m  Failed  pod/wordpress-1: Error: ErrImagePull (3 times)",
        "  last lines of wordpress-1, container wordpress",
        "    a line",
    ]


def test_drift_is_told_as_the_command_of_that_name_tells_it() -> None:
    difference = Difference("Service", "wordpress", "changed", "spec.type", "ClusterIP", "NodePort")
    (drifted,) = with_drift([tenant("blog")], {"blog": [difference]})
    lines = status_view.table([drifted], NOW, wide=False).plain.splitlines()
    assert lines[1].endswith("  1 difference from the catalogue")
    assert lines[-2:] == ["blog  Drifted", "  Service/wordpress: spec.type: ClusterIP -> NodePort"]
    (told,) = status_view.as_data([drifted], NOW)["tenants"]
    assert (told["condition"], told["drift"][0]["found"]) == ("Drifted", "NodePort")


def test_the_wide_table_has_images_the_quota_and_the_stack() -> None:
    text = status_view.table([tenant("blog")], NOW, wide=True).plain
    for part in (namespaces.IMAGE, "pods 2/4, requests.memory 256Mi/1Gi", "wordpress 1Gi, mariadb 1Gi", "dev"):
        assert part in text


def test_the_worst_come_first_where_space_is_short() -> None:
    seen = status_view.worst_first([tenant("blog"), FAILING, tenant("club")])
    assert [one.name for one in seen] == ["shop", "blog", "club"]


def test_the_data_is_plain_and_complete() -> None:
    data = status_view.as_data([tenant("blog"), FAILING], NOW)
    assert json.loads(json.dumps(data)) == data
    assert (data["at"], data["healthy"]) == ("2026-11-29T01:00:00Z", False)
    blog, shop = data["tenants"]
    assert set(blog) == {field.name for field in dataclasses.fields(TenantStatus)} | {"version"}
    assert shop["reasons"] == [
        {
            "cause": "ImagePull",
            "object": "pod/wordpress-1",
            "container": "wordpress",
            "detail": "not found",
            "passes": False,
            "fix": Cause.IMAGE_PULL.fix,
            "message": str(FAILING.reasons[0]),
        }
    ]
    assert shop["logs"] == [{"pod": "wordpress-1", "container": "wordpress", "lines": ["a line"]}]


def test_a_thousand_tenants_make_a_table_within_half_a_second() -> None:

    statuses = [dataclasses.replace(FAILING, name=f"tenant-{number}") for number in range(1000)]
    began = time.process_time()
    status_view.table(statuses, NOW, wide=True)
    assert time.process_time() - began < 0.5


def test_watching_is_for_people() -> None:
    done = siteforge("status", "--watch", "--output", "json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "it shows tables" in done.stderr


def test_outside_of_a_project_it_says_so(tmp_path: Path) -> None:
    done = siteforge("status", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("no Pulumi.yaml here or above - change to the project's folder\n")
