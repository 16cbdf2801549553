"""A Prometheus of the tests' own, from Debian's package."""

import contextlib
import json
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local import packages
from tests.support.commands import run

_DEADLINE_SECONDS = 30.0


def promtool(*arguments: str) -> str:
    """Run Prometheus' own checker.

    Raises:
        AssertionError: it is not content.
    """
    packages.ensure(["prometheus"])
    done = run(["promtool", *arguments], check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def lint(metrics: str) -> str:
    """What Prometheus' own checker finds odd about metrics in its text format; nothing if all is well."""
    packages.ensure(["prometheus"])
    done = run(["promtool", "check", "metrics"], stdin=metrics, check=False)
    return done.stdout + done.stderr


class Prometheus:
    """A server on this machine's loopback address that scrapes one target every second."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}/api/v1"

    def ask(self, path: str, **parameters: str) -> Any:
        """An answer of its API."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self._address}/{path}?{query}", timeout=_DEADLINE_SECONDS) as response:
            return json.load(response)["data"]

    def value(self, expression: str) -> float | None:
        """The value of an expression that has one at most."""
        found = self.ask("query", query=expression)["result"]
        return float(found[0]["value"][1]) if found else None


@contextlib.contextmanager
def scraping(target: str, rules: Path, folder: Path) -> Iterator[Prometheus]:
    """A server that scrapes a target with some rules, and is gone after it."""
    packages.ensure(["prometheus"])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [{"job_name": "siteforge", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.json").write_text(json.dumps(configuration))
    promtool("check", "config", str(folder / "prometheus.json"))
    options = {
        "config.file": str(folder / "prometheus.json"),
        "storage.tsdb.path": str(folder / "data"),
        "web.listen-address": f"127.0.0.1:{port}",
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["prometheus", *(f"--{name}={value}" for name, value in options.items())], stdout=log, stderr=log
        )
        try:
            yield Prometheus(port)
        finally:
            process.terminate()
            process.wait(_DEADLINE_SECONDS)
