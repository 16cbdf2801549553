"""A WebSocket (RFC 6455) over a connection that HTTP has upgraded, for one thread.

httpx2 has one of its own that reads and writes in threads, and TLS connections of Python before 3.13 take no two at
once: some in a hundred short sessions failed. The frames are wsproto's, here as there.
"""

import base64
import os
from collections import deque
from typing import Any, Final

from wsproto import events
from wsproto.connection import Connection, ConnectionState, ConnectionType

_PIECE_BYTES = 65536
_NORMAL: Final = 1000


class ClosedError(OSError):
    """The other side ended the connection."""


def handshake(protocol: str) -> dict[str, str]:
    """The headers that ask for an upgrade."""
    return {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": protocol,
    }


class WebSocket:
    """Binary messages in both directions.

    Args:
        stream: the connection, as httpx2 hands it out (`network_stream`).
        seconds: how long the other side may neither take nor send anything.
    """

    def __init__(self, stream: Any, seconds: float) -> None:
        self._stream, self._seconds = stream, seconds
        self._connection = Connection(ConnectionType.CLIENT)
        self._messages: deque[bytes] = deque()
        self._begun = bytearray()

    def send(self, message: bytes) -> None:
        """Send a message; returns when the system has taken it."""
        self._stream.write(self._connection.send(events.BytesMessage(data=message)), timeout=self._seconds)

    def receive(self) -> bytes:
        """The next message, as soon as it is there.

        Raises:
            ClosedError: there is none to come.
        """
        while not self._messages:
            self._read()
        return self._messages.popleft()

    @property
    def waiting(self) -> bool:
        """Whether something has come."""
        return bool(self._messages) or bool(self._stream.get_extra_info("is_readable"))

    def close(self) -> None:
        """Say that there is nothing more to say."""
        if self._connection.state is ConnectionState.OPEN:
            self._stream.write(self._connection.send(events.CloseConnection(code=_NORMAL)), timeout=self._seconds)

    def _read(self) -> None:
        data = self._stream.read(_PIECE_BYTES, timeout=self._seconds)
        self._connection.receive_data(data or None)
        for event in self._connection.events():
            if isinstance(event, events.Ping):
                self._stream.write(self._connection.send(event.response()), timeout=self._seconds)
            elif isinstance(event, events.BytesMessage):
                self._begun += event.data
                if event.message_finished:
                    self._messages.append(bytes(self._begun))
                    self._begun.clear()
            elif isinstance(event, events.CloseConnection) and not self._messages:
                raise ClosedError(event.reason or "it ended the connection")
