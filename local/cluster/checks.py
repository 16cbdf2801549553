"""Is it ready? One short question to a program of the cluster each, answered by yes or no; never an exception."""

import contextlib
import http.client
import json
import os
import socket
import ssl
import struct
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

Check = Callable[[], bool]

_SECONDS = 1.0
_FAILURES = (OSError, ValueError, http.client.HTTPException)


def listening(path: Path) -> Check:
    """Something accepts connections at a Unix socket."""

    def check() -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(_SECONDS)
            client.connect(str(path))
            return True
        return False

    return check


def healthy(url: str) -> Check:
    """An HTTP or HTTPS address answers 200. Certificates are not looked at: these are loopback health checks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    def check() -> bool:
        with contextlib.suppress(*_FAILURES):
            return _get(url, context)[0] == 200
        return False

    return check


def get(server: str, path: str, certificates: Path) -> tuple[int, bytes]:
    """Ask the API server as the administrator: status and body; status 0 if there is no answer.

    Args:
        certificates: the cluster's folder of certificates.
    """
    with contextlib.suppress(*_FAILURES):
        context = ssl.create_default_context(cafile=str(certificates / "authority.crt"))
        context.load_cert_chain(certificates / "admin.crt", certificates / "admin.key")
        return _get(server + path, context)
    return 0, b""


def api_ready(server: str, certificates: Path) -> Check:
    """The API server says that it is ready."""
    return lambda: get(server, "/readyz", certificates)[0] == 200


def node_ready(server: str, certificates: Path, node: str, since: float) -> Check:
    """A node's object says Ready, and did so after `since` (Unix time): an older word is from before a restart."""

    def check() -> bool:
        status, body = get(server, f"/api/v1/nodes/{node}", certificates)
        if status != 200:
            return False
        conditions: list[dict[str, str]] = json.loads(body).get("status", {}).get("conditions", [])
        return any(
            condition["type"] == "Ready"
            and condition["status"] == "True"
            and _unix(condition["lastHeartbeatTime"]) >= int(since)
            for condition in conditions
        )

    return check


def resolves(server: str, name: str) -> Check:
    """A DNS server at `server` (port 53, UDP) has an address for `name`."""
    query = question(name)

    def check() -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(_SECONDS)
            client.connect((server, 53))
            client.send(query)
            return answers(client.recv(512))
        return False

    return check


def question(name: str) -> bytes:
    """A DNS query for the IPv4 address of `name` (RFC 1035, section 4)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    return struct.pack(">HHHHHH", int.from_bytes(os.urandom(2)), 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


def answers(response: bytes) -> bool:
    """Whether a DNS response says "no error" and holds an answer."""
    if len(response) < 12:
        return False
    _, flags, _, count, _, _ = struct.unpack(">HHHHHH", response[:12])
    return bool(flags & 0x000F == 0 and count > 0)


def _unix(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()


def _get(url: str, context: ssl.SSLContext) -> tuple[int, bytes]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=_SECONDS)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
