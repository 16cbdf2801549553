"""Looking at sites as visitors do: pages asked for in each pod, and what the pods answered to everybody.

Pages are asked for by PHP in the site's own container, of its own Apache, with the site's own name: that needs neither
a way into the cluster's network nor a domain that leads there, and reaches each pod.
"""

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from siteforge import names
from siteforge.blueprint import Blueprint
from siteforge.errors import ClusterError
from siteforge.fleet import execution, logs
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.execution import CommandError, Container
from siteforge.fleet.kinds import POD
from siteforge.fleet.logs import Source
from siteforge.names import WORDPRESS, selector
from siteforge.specs.manifest import Manifest

PAGES: Final = ("/", "/wp-login.php", "/?rest_route=/")
"""The front page, where owners come in, and what programs ask: theme, core and plugins take part in each."""

LEAST_FAILURES: Final = 3
"""So many requests have to fail before their share counts: of few requests, one is a large share."""

NOBODY: Final = "no pod of the site runs"

_AGENT = "siteforge-probe"
_SECONDS = 20
_AT_ONCE = 4
_TRIES = 4
_PAUSE_SECONDS = 3.0
_LINES = 10_000
"""The most of a log that is read at once."""

_ASK: Final = """
[$_, $host, $scheme] = $argv;
foreach (array_slice($argv, 3) as $page) {
    $http_response_header = [];
    @file_get_contents("http://127.0.0.1$page", false, stream_context_create(['http' => [
        'header' => ["Host: $host", "X-Forwarded-Proto: $scheme", 'User-Agent: %s', 'Connection: close'],
        'ignore_errors' => true, 'follow_location' => 0, 'timeout' => %d,
    ]]));
    $answers[$page] = (int) (explode(' ', $http_response_header[0] ?? '')[1] ?? 0);
}
echo json_encode($answers);
"""

_ACCESS = re.compile(r'"[A-Z]+ (?P<path>[^" ]*)[^"]*" (?P<status>[0-9]{3}) .*?(?P<agent>"[^"]*")?$', re.ASCII)
"""A line of Apache's log, in its common or combined format (httpd.apache.org/docs/2.4/logs.html)."""


@dataclass
class Tally:
    """Requests to a site: those of probes, and those of its visitors."""

    requests: int = 0
    failures: int = 0
    """Answers of 500 and above, and answers that never came."""

    def add(self, status: int) -> None:
        """Count an answer; 0 stands for none."""
        self.requests += 1
        self.failures += failed(status)

    def __str__(self) -> str:
        return f"{self.failures} of {self.requests} requests failed"

    def over(self, percent: float) -> bool:
        """Whether more failed than may."""
        return self.failures >= LEAST_FAILURES and 100 * self.failures > percent * self.requests


def failed(status: int) -> bool:
    """Whether an answer is the site's failure: a page that is not there, or not for everybody, is none."""
    return status == 0 or status >= 500


def visit(line: str) -> int | None:
    """The status that a line of Apache's log tells of a visitor's request; None of a probe's, and of any other line."""
    found = _ACCESS.search(line)
    if not found or found["path"].startswith("/siteforge-health.php") or _AGENT in (found["agent"] or ""):
        return None
    return int(found["status"])


@dataclass
class Watch:
    """A tenant that is looked at again and again."""

    tenant: Blueprint
    tally: Tally = field(default_factory=Tally)
    problem: str = ""
    """Why it could not be looked at, the last time; empty if it could."""
    _read: dict[str, int] = field(default_factory=dict)
    """Up to which moment the log of a pod was read."""

    def look(self, cluster: Cluster) -> list[str]:
        """Ask each pod for its pages, and count what it answered to its visitors.

        Returns:
            What failed, as in `/ answers 500 (pod wordpress-7d9)`; nothing if it could not be looked at.
        """
        self.problem = ""
        try:
            pods = _pods(cluster, self.tenant)
            found = [one for pod in pods for one in self._ask(cluster, pod)]
            for pod in pods:
                self._count(cluster, pod)
        except ClusterError as error:
            # Nobody can tell: the API server, or a pod that went in this moment.
            self.problem = str(error)
            return []
        return found if pods else [NOBODY]

    def _ask(self, cluster: Cluster, pod: str) -> Iterator[str]:
        for page, status in answers(cluster, self.tenant, pod).items():
            self.tally.add(status)
            if failed(status):
                yield f"{page} {f'answers {status}' if status else f'does not answer in {_SECONDS} s'} (pod {pod})"

    def _count(self, cluster: Cluster, pod: str) -> None:
        since = self._read.get(pod, 0)
        query = {"tailLines": str(_LINES), "timestamps": "true"}
        if since:
            query["sinceTime"] = datetime.fromtimestamp(since // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        source = Source(pod, WORDPRESS, serves=True)
        for text in cluster.log(names.namespace(self.tenant.name), pod, WORDPRESS, **query):
            line = logs.parse(source, text, since)
            if line.moment > since and (status := visit(line.text)) is not None:
                self.tally.add(status)
            self._read[pod] = max(line.moment, self._read.get(pod, 0))


def answers(cluster: Cluster, tenant: Blueprint, pod: str) -> dict[str, int]:
    """What a pod answers to a request for each of PAGES: the status, 0 if it gives none.

    Raises:
        ClusterError: it can't be asked.
    """
    host = tenant.domains[0] if tenant.domains else names.service_host(tenant.name)
    command = ["php", "-r", _ASK % (_AGENT, _SECONDS), "--", host, "https" if tenant.tls else "http", *PAGES]
    said = execution.output(cluster, Container(names.namespace(tenant.name), pod, WORDPRESS), command)
    try:
        told = json.loads(said)
        return {page: int(told[page]) for page in PAGES}
    except (ValueError, KeyError, TypeError):
        raise CommandError(f"{tenant.name}/{pod}: PHP answered something else than statuses") from None


def failing(
    cluster: Cluster, watches: Iterable[Watch], pause: Callable[[float], None] = time.sleep
) -> Mapping[str, list[str]]:
    """Which sites do not answer as they should, and how, by tenant; each is given some tries."""
    found = look(cluster, watches)
    for _ in range(_TRIES - 1):
        if not (again := [watch for watch in watches if found.get(watch.tenant.name) or watch.problem]):
            break
        pause(_PAUSE_SECONDS)
        found = look(cluster, again)
    return {name: said for name, said in found.items() if said}


def look(cluster: Cluster, watches: Iterable[Watch]) -> dict[str, list[str]]:
    """What fails of each site right now, by tenant."""
    watches = list(watches)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda watch: watch.look(cluster), watches)
        return {watch.tenant.name: said for watch, said in zip(watches, found, strict=True)}


def _pods(cluster: Cluster, tenant: Blueprint) -> list[str]:
    """The pods of a site whose container runs and that are not about to go."""
    labels = ",".join(f"{key}={value}" for key, value in selector(tenant.name, WORDPRESS).items())
    found = cluster.objects(POD, labels=labels, namespace=names.namespace(tenant.name))
    return [one["metadata"]["name"] for one in found if _runs(one)]


def _runs(pod: Manifest) -> bool:
    containers = pod.get("status", {}).get("containerStatuses", ())
    return not pod["metadata"].get("deletionTimestamp") and any(
        one["name"] == WORDPRESS and "running" in one.get("state", {}) for one in containers
    )
