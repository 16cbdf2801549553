"""The cluster, read and written without Pulumi: lists over all namespaces at once, watches, server-side apply.

Objects are plain dicts with Kubernetes' own field names: lightkube's typed models are not used, as reading a fleet
through them would take longer than the cluster does.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import httpcore2 as httpcore
import httpx2 as httpx
import msgspec
from lightkube.core.exceptions import ConfigError

from siteforge import names
from siteforge.errors import ClusterError
from siteforge.fleet.connection import CONNECT_SECONDS, TIMEOUT_SECONDS, WHOLE, Connection, WatchEndedError
from siteforge.fleet.kinds import BY_NAME, NAMESPACE, OURS, POD, Kind
from siteforge.fleet.partial_object import PartialObject, PartialObjects
from siteforge.fleet.websocket import WebSocket, handshake
from siteforge.specs.manifest import Manifest

PAGE = 500
"""Objects a request: kubectl's own number, which keeps the API server's memory small."""

_LISTS_AT_ONCE = 4
_SILENCE_SECONDS = 600.0
"""So long, a command in a container may neither read nor write."""
_PARTIAL = msgspec.json.Decoder(PartialObjects)


@dataclass(frozen=True)
class Change:
    """One event of a watch."""

    type: str
    """ADDED, MODIFIED or DELETED."""
    object: PartialObject


class Cluster:
    """A cluster.

    Args:
        context: the kubeconfig's context; None stands for the current one.
        seconds: the deadline of a request.

    Raises:
        ClusterError: there is no such context, or no kubeconfig.
    """

    def __init__(self, context: str | None = None, seconds: float = TIMEOUT_SECONDS) -> None:
        self._connection = Connection(context, seconds)

    @property
    def context(self) -> str:
        """The name of the kubeconfig's context."""
        return self._connection.context

    @property
    def server(self) -> str:
        """The API server's address."""
        return self._connection.server

    @property
    def requests(self) -> int:
        """How many were made."""
        return self._connection.requests

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.http.close()

    def uid(self) -> str:
        """What tells this cluster from every other: the identity of its namespace kube-system."""
        return str(self.get(NAMESPACE, "kube-system")["metadata"]["uid"])

    def objects(
        self, kind: Kind, *, labels: str = "", fields: str = "", namespace: str | None = None
    ) -> list[dict[str, Any]]:
        """All objects of a kind, by pages; none if the cluster doesn't know the kind.

        Args:
            kind: which.
            labels, fields: selectors, as kubectl takes them.
            namespace: whose; all namespaces' when left out.

        Raises:
            ClusterError: the API server can't be asked, or refuses.
        """
        return self.objects_at(kind, labels=labels, fields=fields, namespace=namespace)[0]

    def objects_at(
        self, kind: Kind, *, labels: str = "", fields: str = "", namespace: str | None = None
    ) -> tuple[list[dict[str, Any]], str]:
        """The same, and the resource version that a watch goes on from."""
        return self._list(kind, WHOLE, labels, fields, namespace)

    def partial_objects(
        self, kind: Kind, *, labels: str = "", fields: str = "", namespace: str | None = None
    ) -> list[PartialObject]:
        """As `objects`, of each what tells how it is."""
        return self.partial_objects_at(kind, labels=labels, fields=fields, namespace=namespace)[0]

    def partial_objects_at(
        self, kind: Kind, *, labels: str = "", fields: str = "", namespace: str | None = None
    ) -> tuple[list[PartialObject], str]:
        """The same, and the resource version that a watch goes on from."""
        return self._list(kind, _PARTIAL, labels, fields, namespace)

    def fleet(self, kinds: Iterable[Kind], *, labels: str = OURS) -> dict[Kind, list[PartialObject]]:
        """Of all objects of several kinds what tells how they are, in a few requests at once.

        Raises:
            ClusterError: as `objects`.
        """
        kinds = list(kinds)
        with ThreadPoolExecutor(_LISTS_AT_ONCE) as pool:
            found = pool.map(lambda kind: self.partial_objects(kind, labels=labels), kinds)
            return dict(zip(kinds, found, strict=True))

    def _list(
        self, kind: Kind, decoder: "msgspec.json.Decoder[Any]", labels: str, fields: str, namespace: str | None
    ) -> tuple[list[Any], str]:
        query = {"limit": str(PAGE)} | _selectors(labels, fields)
        found: list[Any] = []
        while True:
            page = self._connection.ask("GET", kind.path(namespace), query, absent_ok=True, decoder=decoder)
            found += page.get("items") or ()
            metadata = page.get("metadata", {})
            if not metadata.get("continue"):
                return found, metadata.get("resourceVersion", "")
            query["continue"] = metadata["continue"]

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> dict[str, Any]:
        """One object; empty if there is none.

        Raises:
            ClusterError: the API server can't be asked, or refuses.
        """
        return self._connection.ask("GET", kind.path(namespace, name), absent_ok=True)

    def apply(self, manifest: Manifest, manager: str = names.FIELD_MANAGER) -> dict[str, Any]:
        """Server-side apply (kubernetes.io/docs/reference/using-api/server-side-apply) of one object.

        Raises:
            ClusterError: as `get`.
        """
        kind = BY_NAME[manifest["kind"]]
        path = kind.path(manifest["metadata"].get("namespace"), manifest["metadata"]["name"])
        query = {"fieldManager": manager, "force": "true"}
        return self._connection.ask("PATCH", path, query, body=manifest, content_type="application/apply-patch+yaml")

    def patch(self, kind: Kind, name: str, body: Mapping[str, Any], namespace: str | None = None) -> dict[str, Any]:
        """Merge patch (RFC 7386) of one object: null removes a field.

        Raises:
            ClusterError: as `get`; also if there is none.
        """
        content_type = "application/merge-patch+json"
        return self._connection.ask("PATCH", kind.path(namespace, name), body=body, content_type=content_type)

    def create(self, kind: Kind, body: Mapping[str, Any], namespace: str | None = None) -> dict[str, Any]:
        """Create one object.

        Raises:
            ClusterError: as `get`; also if there is one of this name.
        """
        return self._connection.ask("POST", kind.path(namespace), body=body)

    def delete(self, kind: Kind, name: str, namespace: str | None = None) -> None:
        """Delete one object, if it is there.

        Raises:
            ClusterError: as `get`.
        """
        self._connection.ask("DELETE", kind.path(namespace, name), absent_ok=True)

    def read(self, path: str) -> dict[str, Any]:
        """What a path answers that is no object's, as a node's statistics; empty if there is no such thing.

        Raises:
            ClusterError: as `get`.
        """
        return self._connection.ask("GET", path, absent_ok=True)

    def log(self, namespace: str, pod: str, container: str, **query: str) -> Iterator[str]:
        """The lines of a container's log, oldest first.

        Args:
            namespace, pod, container: whose.
            query: as the API server takes it: `timestamps`, `tailLines`, `sinceSeconds`, `sinceTime`, `previous`,
                and `follow`, with which it ends with the container.

        Raises:
            ClusterError: as `get`; also if the container has no log yet.
        """
        path = f"{POD.path(namespace, pod)}/log"
        # A site that says nothing for hours is followed all the same.
        silence = None if "follow" in query else TIMEOUT_SECONDS
        try:
            with self._connection.stream(path, [("container", container), *query.items()], silence=silence) as answer:
                rest = b""
                for chunk in answer.iter_bytes():
                    # Not `iter_lines`: characters of other scripts and form feeds end no line of a log.
                    *lines, rest = (rest + chunk).split(b"\n")
                    yield from (line.decode(errors="replace") for line in lines)
                if rest:
                    yield rest.decode(errors="replace")
        except httpx.HTTPError as error:
            raise self._connection.unreachable(error) from None

    @contextlib.contextmanager
    def websocket(self, path: str, query: Sequence[tuple[str, str]], protocol: str) -> Iterator[WebSocket]:
        """A WebSocket to a path that speaks one, as that of a command in a container does.

        Args:
            path: where.
            query: names and values; a name may be there more than once.
            protocol: the subprotocol, which the API server has to know.

        Raises:
            ClusterError: as `get`; also if the connection ends too early, or the server doesn't know the protocol.
        """
        wanted = httpx.codes.SWITCHING_PROTOCOLS
        try:
            with self._connection.stream(path, query, headers=handshake(protocol), wanted=wanted) as answer:
                if answer.headers.get("Sec-WebSocket-Protocol") != protocol:
                    raise ClusterError(
                        f"the API server at {self.server} doesn't speak {protocol} - Kubernetes 1.30 does"
                    )
                connection = WebSocket(answer.extensions["network_stream"], _SILENCE_SECONDS)
                yield connection
                connection.close()
        except (httpx.HTTPError, httpcore.NetworkError, httpcore.TimeoutException, ConfigError, OSError) as error:
            raise self._connection.unreachable(error) from None

    def watch(
        self, kind: Kind, version: str, *, labels: str = "", namespace: str | None = None, seconds: int = 60
    ) -> Iterator[Change]:
        """What changes from a resource version on, until `seconds` have passed or the server ends it.

        Raises:
            WatchEndedError: the server no longer has that version, or the connection broke off: list again.
            ClusterError: as `get`.
        """
        query = {"watch": "true", "resourceVersion": version, "timeoutSeconds": str(seconds)} | _selectors(labels, "")
        path = kind.path(namespace)
        try:
            with self._connection.stream(path, list(query.items()), silence=seconds + CONNECT_SECONDS) as answer:
                for line in _lines(answer):
                    event = msgspec.json.decode(line)
                    if event["type"] == "ERROR":
                        raise WatchEndedError(event["object"].get("message", "the watch has expired"))
                    if event["type"] != "BOOKMARK":
                        yield Change(event["type"], event["object"])
        except httpx.HTTPError as error:
            raise self._connection.unreachable(error) from None


def _lines(answer: httpx.Response) -> Iterator[str]:
    """Those of a watch, until the server ends it."""
    try:
        yield from answer.iter_lines()
    except httpx.HTTPError as error:
        raise WatchEndedError(f"the watch broke off: {str(error) or type(error).__name__}") from None


def _selectors(labels: str, fields: str) -> dict[str, str]:
    return ({"labelSelector": labels} if labels else {}) | ({"fieldSelector": fields} if fields else {})
