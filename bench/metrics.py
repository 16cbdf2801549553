"""What the control plane did: requests by verb from kube-apiserver's /metrics, CPU seconds of its processes."""

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.kube import Api

FLOW_SCHEMA = "bench"
"""The tools' requests are told from everybody else's by the flow schema of their user (bench.platform)."""

_BY_VERB = re.compile(r'^apiserver_request_total\{.*?\bverb="(\w+)".*\} (\S+)$', re.MULTILINE)
_BY_FLOW = re.compile(
    rf'^apiserver_flowcontrol_dispatched_requests_total\{{.*?\bflow_schema="{FLOW_SCHEMA}".*\}} (\S+)$', re.MULTILINE
)
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Activity:
    """Counts since the control plane's start, or, as a difference, of a time.

    Args:
        requests: of everybody, the controllers among them, by verb; a watch counts when it ends.
        own: those of the tool alone.
        cpu_seconds: by process of the control plane.
    """

    requests: Counter[str] = field(default_factory=Counter)
    own: int = 0
    cpu_seconds: dict[str, float] = field(default_factory=dict)

    def since(self, before: "Activity") -> "Activity":
        """What was added."""
        return Activity(
            self.requests - before.requests,
            self.own - before.own,
            {name: seconds - before.cpu_seconds.get(name, 0.0) for name, seconds in self.cpu_seconds.items()},
        )


def activity(api: Api, processes: Mapping[str, int]) -> Activity:
    """The counts now.

    Args:
        api: asked as the administrator, whose requests are not those of the tool.
        processes: the pids of the control plane by name.
    """
    return Activity(*parse(api.request("GET", "/metrics").decode()), {n: _cpu(pid) for n, pid in processes.items()})


def parse(text: str) -> tuple[Counter[str], int]:
    """Requests by verb, and the tool's own, in the API server's metrics."""
    requests: Counter[str] = Counter()
    for verb, count in _BY_VERB.findall(text):
        requests[verb] += int(float(count))
    return requests, sum(int(float(count)) for count in _BY_FLOW.findall(text))


def _cpu(pid: int) -> float:
    stat = Path(f"/proc/{pid}/stat").read_text()
    user, system = stat[stat.rindex(")") + 2 :].split()[11:13]
    return (int(user) + int(system)) / _TICKS
