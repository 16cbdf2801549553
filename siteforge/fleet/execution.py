"""Running a command in a container, with what it reads and writes as streams.

The protocol is `v5.channel.k8s.io` over WebSocket (k8s.io/apimachinery/pkg/util/remotecommand): each message begins
with the number of its channel. The fifth version is the first that can end what a command reads.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from siteforge.errors import ClusterError, printable
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.kinds import POD
from siteforge.fleet.websocket import WebSocket

_PROTOCOL: Final = "v5.channel.k8s.io"
_STDIN, _STDOUT, _STDERR, _STATUS, _CLOSE = 0, 1, 2, 3, 255
_DRAIN = '"$@"; code=$?; cat > /dev/null; exit $code'
"""Runs a command, and reads what it left unread: the API server would wait for somebody to, and tell nobody its end."""
_PIECE_BYTES = 65536
_SAID_BYTES = 2000
"""How much of the end of what a command says of its mistakes is kept."""


@dataclass(frozen=True)
class Container:
    """A container in which commands are run."""

    namespace: str
    pod: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.pod}"


class CommandError(ClusterError):
    """A command in a container failed."""


def stream(
    cluster: Cluster, container: Container, command: Sequence[str], stdin: Iterable[bytes] | None = None
) -> Iterator[bytes]:
    """What a command writes, piece by piece; whoever has all of it knows that the command succeeded.

    Args:
        cluster, container: where.
        command: program and arguments; every user who may list processes there can read them.
        stdin: what it reads; it needn't read all of it. If that fails, so does this, but the command has read the rest
            by then as if there were no more.

    Raises:
        CommandError: it ends with another code than 0; says what it wrote to standard error.
        ClusterError: the API server can't be asked, or refuses.
    """
    query = [("container", container.name), ("stdout", "true"), ("stderr", "true")]
    if stdin is not None:
        query.append(("stdin", "true"))
        command = ["sh", "-c", _DRAIN, "sh", *command]
    query += [("command", word) for word in command]
    path = f"{POD.path(container.namespace, container.pod)}/exec"
    with cluster.websocket(path, query, _PROTOCOL) as session:
        said = b""
        for message in _converse(session, stdin):
            channel, content = message[0], message[1:]
            if channel == _STDOUT:
                yield content
            elif channel == _STDERR:
                said = (said + content)[-_SAID_BYTES:]
            elif channel == _STATUS:
                _check(content, str(container), said)
                return
    raise AssertionError("a conversation ends with the status")


def _converse(session: WebSocket, stdin: Iterable[bytes] | None) -> Iterator[bytes]:
    """What is said while the input is sent, and after it."""
    if stdin is not None:
        for piece in stdin:
            for start in range(0, len(piece), _PIECE_BYTES):
                session.send(bytes([_STDIN]) + piece[start : start + _PIECE_BYTES])
                while session.waiting:
                    yield session.receive()
        session.send(bytes([_CLOSE, _STDIN]))
    while True:
        yield session.receive()


def output(cluster: Cluster, container: Container, command: Sequence[str], stdin: Iterable[bytes] | None = None) -> str:
    """All that a command writes, as text without the last line's end.

    Raises:
        ClusterError: as `stream`.
    """
    return b"".join(stream(cluster, container, command, stdin)).decode(errors="replace").rstrip("\n")


def _check(status: bytes, what: str, said: bytes) -> None:
    """Raise unless the status (meta/v1 Status) says that a command succeeded."""
    told: dict[str, Any] = msgspec.json.decode(status)
    if told.get("status") == "Success":
        return
    causes = (told.get("details") or {}).get("causes") or ()
    code = next((one["message"] for one in causes if one.get("reason") == "ExitCode"), "")
    words = printable(" ".join(said.decode(errors="replace").split())) or told.get("message", "it gave no reason")
    raise CommandError(f"{what} failed{f' with exit code {code}' if code else ''}: {words}")
