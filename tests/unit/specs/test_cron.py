from collections import Counter

import pytest

from siteforge.names import CRON
from siteforge.specs import cron, wordpress
from tests.support.blueprints import make


def test_one_run_at_a_time_and_none_of_a_suspended_tenant() -> None:
    spec = cron.cron_job(make())["spec"]
    assert (spec["concurrencyPolicy"], spec["suspend"]) == ("Forbid", False)
    assert cron.cron_job(make(suspended=True))["spec"] == spec | {"suspend": True}


@pytest.mark.parametrize("minutes", [1, 5, 15, 60])
def test_a_fleet_is_spread_over_the_minutes(minutes: int) -> None:
    starts = Counter(cron.schedule(f"tenant-{number}", minutes) for number in range(100 * minutes))
    assert len(starts) == minutes
    assert max(starts.values()) < 200
    fields = {start.partition(" ")[2] for start in starts}
    assert fields == {"* * * *"}


def test_a_schedule_is_as_kubernetes_takes_it() -> None:
    assert cron.schedule(make().name, 15) == cron.cron_job(make())["spec"]["schedule"]
    assert cron.schedule("blog-aku", 1) == "0-59/1 * * * *"
    assert cron.schedule("blog-aku", 60).split()[0].isdigit()


def test_its_pod_is_restricted_has_no_volume_and_no_password_and_runs_anywhere() -> None:
    pod = cron.pod(make())
    assert [set(volume) - {"name"} for volume in pod["volumes"]] == [{"configMap"}]
    assert "affinity" not in pod
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"]
    (container,) = pod["containers"]
    assert "env" not in container
    assert container["securityContext"]["readOnlyRootFilesystem"]


def test_no_service_or_budget_of_the_site_selects_its_pods() -> None:
    labels = cron.cron_job(make())["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/name"] == CRON
    for selector in (
        wordpress.service(make())["spec"]["selector"],
        wordpress.disruption_budget(make())["spec"]["selector"]["matchLabels"],
    ):
        assert not selector.items() <= labels.items()
