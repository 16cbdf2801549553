"""What the control plane did: requests by verb from kube-apiserver's /metrics, CPU seconds of its processes."""

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.kube import Api

FLOW_SCHEMA = "bench"
"""The tools' requests are told from everybody else's by the flow schema of their user (bench.platform)."""

_BY_VERB = re.compile(r'^apiserver_request_total\{.*?\bverb="(\w+)".*\} (\S+)$', re.MULTILINE)
_BY_FLOW = re.compile(
    rf'^apiserver_flowcontrol_dispatched_requests_total\{{.*?\bflow_schema="{FLOW_SCHEMA}".*\}} (\S+)$', re.MULTILINE
)
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Requests:
    """Counts since the API server's start, or, as a difference, of a time.

    Args:
        by_verb: of everybody, the controllers among them; a watch counts when it ends.
        own: those of the tool alone.
    """

    by_verb: Counter[str]
    own: int

    def since(self, before: "Requests") -> "Requests":
        """What was added."""
        return Requests(self.by_verb - before.by_verb, self.own - before.own)


def requests(api: Api) -> Requests:
    """The counts now, asked as the administrator, whose requests are not those of the tool."""
    return parse(api.request("GET", "/metrics").decode())


def parse(text: str) -> Requests:
    """The counts in the API server's metrics."""
    by_verb: Counter[str] = Counter()
    for verb, count in _BY_VERB.findall(text):
        by_verb[verb] += int(float(count))
    return Requests(by_verb, sum(int(float(count)) for count in _BY_FLOW.findall(text)))


def cpu_seconds(processes: Mapping[str, int]) -> dict[str, float]:
    """User and system time that processes, pids by name, have taken since their start."""
    return {name: _cpu(pid) for name, pid in processes.items()}


def _cpu(pid: int) -> float:
    stat = Path(f"/proc/{pid}/stat").read_text()
    user, system = stat[stat.rindex(")") + 2 :].split()[11:13]
    return (int(user) + int(system)) / _TICKS
