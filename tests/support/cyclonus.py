"""Cyclonus (github.com/mattfenwick/cyclonus): which traffic NetworkPolicies allow, by a model that is not ours."""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from local import toolchain

_DEADLINE_SECONDS = 120.0


@dataclass(frozen=True)
class End:
    """Where traffic comes from or goes to: a pod, or an address outside the cluster, which has no namespace."""

    name: str
    address: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def _peer(self) -> dict[str, Any]:
        if not self.namespace:
            return {"IP": self.address}
        inside = {"Namespace": self.namespace, "NamespaceLabels": self.namespace_labels, "PodLabels": self.labels}
        return {"IP": self.address, "Internal": inside}


@dataclass(frozen=True)
class Traffic:
    """A connection that somebody tries."""

    source: End
    target: End
    protocol: str
    port: int

    def __str__(self) -> str:
        return f"{self.source} -> {self.target} {self.protocol} {self.port}"

    def _query(self) -> dict[str, Any]:
        ends = {"Source": self.source._peer(), "Destination": self.target._peer()}
        return ends | {"Protocol": self.protocol, "ResolvedPort": self.port}


def allowed(policies: Iterable[Mapping[str, Any]], traffic: Sequence[Traffic]) -> list[bool]:
    """Whether the policies of a cluster allow each traffic."""
    question = {"Policies": list(policies), "Traffic": [one._query() for one in traffic]}
    done = subprocess.run(
        [_program()], input=json.dumps(question), capture_output=True, text=True, timeout=_DEADLINE_SECONDS
    )
    assert done.returncode == 0, done.stderr
    answers: list[bool] = json.loads(done.stdout)
    assert len(answers) == len(traffic)
    return answers


@cache
def _program() -> Path:
    toolchain.ensure(["cyclonus"])
    return toolchain.folder("cyclonus") / "bin" / "cyclonus"
