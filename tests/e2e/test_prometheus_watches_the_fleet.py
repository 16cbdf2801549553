import contextlib
import json
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from local import workspace
from tests.e2e.conftest import BLOG
from tests.support import prometheus
from tests.support.stack import ROOT, Stack
from tests.support.waiting import eventually

RULES = ROOT / "monitoring" / "alerts.yaml"
_DEADLINE_SECONDS = 60


@contextlib.contextmanager
def serving(stack: Stack) -> Iterator[str]:
    """`siteforge metrics` of a stack, told to end after it; its address."""
    command = ["siteforge", "metrics", "--listen", "127.0.0.1:0", "--interval", "1"]
    environment = workspace.environment({}) | stack.environment
    with subprocess.Popen(command, cwd=stack.folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield process.stderr.readline().strip()
        finally:
            process.send_signal(signal.SIGTERM)
            # Read to its end, so that it never waits for a reader.
            process.stderr.read()
            assert process.wait(_DEADLINE_SECONDS) == 0


def test_a_real_prometheus_scrapes_the_fleet_and_evaluates_the_rules(blog: Stack, tmp_path: Path) -> None:
    with serving(blog) as address, prometheus.scraping(address.split("/")[2], RULES, tmp_path) as server:

        def ready() -> bool:
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                return server.value('siteforge_tenants{condition="Ready"}') == 1
            return False

        eventually("a scrape that tells of the tenant", ready, seconds=_DEADLINE_SECONDS, namespace=BLOG)
        assert server.value(f'siteforge_tenant_condition{{tenant="{BLOG}",condition="Ready"}}') == 1
        assert server.value(f'siteforge_tenant_pods_ready{{tenant="{BLOG}"}}') == 2
        assert server.value("siteforge_last_look_success_timestamp_seconds") == server.value(
            "siteforge_last_look_success_timestamp_seconds > time() - 60"
        )
        rules = [rule for group in server.ask("rules")["groups"] for rule in group["rules"]]
        assert len(rules) == RULES.read_text().count("- alert:")
        assert {rule["health"] for rule in rules} <= {"ok", "unknown"}


def test_what_is_printed_once_is_as_prometheus_wants_it(blog: Stack) -> None:
    printed = blog.siteforge("metrics", "--once").stdout
    assert f'siteforge_tenant_condition{{condition="Ready",stack="blog",tenant="{BLOG}"}} 1.0' in printed
    assert prometheus.lint(printed) == ""


def test_a_cluster_that_cannot_be_asked_is_no_metric(blog: Stack) -> None:
    done = blog.siteforge("metrics", "--once", check=False, KUBECONFIG="/nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr


def test_the_alert_rules_fire_when_they_should_and_only_then() -> None:
    prometheus.promtool("check", "rules", str(RULES))
    prometheus.promtool("test", "rules", str(ROOT / "monitoring" / "alerts.test.yaml"))


def test_rules_and_dashboard_ask_only_for_what_is_told(blog: Stack, tmp_path: Path) -> None:
    told = set(re.findall(r"^# TYPE (\w+)", blog.siteforge("metrics", "--once").stdout, re.MULTILINE))
    dashboard = json.loads((ROOT / "monitoring" / "dashboard.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    # Those of the reconciler are its own test's.
    asked = set(re.findall(r"siteforge_(?!reconciler_)\w+", RULES.read_text() + " ".join(expressions)))
    assert {name.removesuffix("_bucket") for name in asked} <= told
    # Each is one that Prometheus can read.
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(expressions)]
    (tmp_path / "panels.json").write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    prometheus.promtool("check", "rules", str(tmp_path / "panels.json"))
