"""A minimal client of the Kubernetes API: one connection a thread, no discovery, no cache, no limiter."""

import contextlib
import http.client
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

PAGE = 500
"""Objects of one page of a LIST, as kubectl asks for them."""

FIELD_MANAGER = "bench"

_SECONDS = 60.0
_PLURALS = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses", "StorageClass": "storageclasses"}


class KubeError(Exception):
    """The API server refused a request, or its answer was cut short.

    Args:
        status: of HTTP; 0 if there was no answer.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def collection(api_version: str, kind: str, namespace: str = "") -> str:
    """The path of a kind's objects, of one namespace or of all."""
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    inside = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{inside}/{_PLURALS.get(kind, f'{kind.lower()}s')}"


def path(manifest: Mapping[str, Any]) -> str:
    """The path of an object."""
    metadata = manifest["metadata"]
    place = collection(manifest["apiVersion"], manifest["kind"], metadata.get("namespace", ""))
    return f"{place}/{metadata['name']}"


class Api:
    """The API server of a kubeconfig's current context.

    Args:
        kubeconfig: a file in JSON, with certificates by path or a token, as the local platform writes it.
    """

    def __init__(self, kubeconfig: Path) -> None:
        known = json.loads(kubeconfig.read_text())
        cluster, user = known["clusters"][0]["cluster"], known["users"][0]["user"]
        self._server = urlsplit(cluster["server"])
        self._tls = ssl.create_default_context(cafile=cluster["certificate-authority"])
        if "client-certificate" in user:
            self._tls.load_cert_chain(user["client-certificate"], user["client-key"])
        self._headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        self._own = threading.local()

    def request(
        self, method: str, target: str, body: bytes | None = None, content_type: str = "application/json"
    ) -> bytes:
        """Send a request and return the body of the answer.

        Raises:
            KubeError: the server refuses, or does not answer.
        """
        headers = self._headers | {"Content-Type": content_type, "Accept": "application/json"}
        try:
            status, content = self._exchange(method, target, body, headers)
        except (OSError, http.client.HTTPException) as error:
            raise KubeError(0, f"{method} {target}: {error!r}") from error
        if status >= 400:
            raise KubeError(status, f"{method} {target}: {status} {content.decode(errors='replace')}")
        return content

    def _exchange(self, method: str, target: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = self._connection
        was_open = connection.sock is not None
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (http.client.RemoteDisconnected, BrokenPipeError):
            connection.close()
            if not was_open:
                raise
            # The server ends a connection that was idle for 90 s, and it shows only now.
            return self._exchange(method, target, body, headers)
        except BaseException:
            connection.close()
            raise

    def get(self, target: str) -> Any:
        """An object."""
        return json.loads(self.request("GET", target))

    def find(self, target: str) -> Any:
        """An object, or None if there is none."""
        try:
            return self.get(target)
        except KubeError as error:
            if error.status == 404:
                return None
            raise

    def apply(self, manifest: Mapping[str, Any]) -> None:
        """Server-side apply (kubernetes.io/docs/reference/using-api/server-side-apply), conflicts overridden."""
        target = f"{path(manifest)}?fieldManager={FIELD_MANAGER}&force=true"
        self.request("PATCH", target, json.dumps(manifest).encode(), "application/apply-patch+yaml")

    def pages(self, target: str, selector: str = "") -> Iterator[dict[str, Any]]:
        """The pages of a LIST, each a whole answer."""
        query: dict[str, str | int] = {"limit": PAGE} | ({"labelSelector": selector} if selector else {})
        while True:
            page: dict[str, Any] = self.get(f"{target}?{urlencode(query)}")
            yield page
            if not (following := page["metadata"].get("continue")):
                return
            query["continue"] = following

    def watch(self, target: str, selector: str, resource_version: str, seconds: float) -> Iterator[dict[str, Any]]:
        """The changes since a version, until the server ends the watch.

        Raises:
            KubeError: the server refuses, as when the version is too old.
        """
        query = {"watch": "1", "resourceVersion": resource_version, "timeoutSeconds": max(int(seconds), 1)}
        query |= {"labelSelector": selector}
        connection = self._connect(seconds + _SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", f"{target}?{urlencode(query)}", headers=self._headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise KubeError(answer.status, f"watch of {target}: {answer.status}")
            try:
                while line := answer.readline():
                    yield json.loads(line)
            except (OSError, http.client.HTTPException) as error:
                raise KubeError(0, f"watch of {target}: {error!r}") from error

    @property
    def _connection(self) -> http.client.HTTPSConnection:
        if not hasattr(self._own, "connection"):
            self._own.connection = self._connect()
        connection: http.client.HTTPSConnection = self._own.connection
        return connection

    def _connect(self, timeout: float = _SECONDS) -> http.client.HTTPSConnection:
        assert self._server.hostname is not None
        return http.client.HTTPSConnection(self._server.hostname, self._server.port, timeout=timeout, context=self._tls)
