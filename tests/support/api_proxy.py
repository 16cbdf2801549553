"""A proxy before the cluster's API server that is slow, refuses or goes away when a test says so.

The API server itself stays as it is, for the tests beside this one.
"""

import contextlib
import http.client
import itertools
import json
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from local import cluster

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "content-length"}
_PIECE = 65536


class ApiProxy:
    """Serves plain HTTP on an address of this machine, as the cluster's administrator.

    Args:
        folder: where its kubeconfig is written.
    """

    def __init__(self, folder: Path) -> None:
        self.delay = 0.0
        """Seconds before each request is passed on."""
        self.refuse_every = 0
        """Of so many requests one is answered with 429; 0 for none."""
        self.denied = ""
        """Requests whose address has this in it are answered with 403; empty for none."""
        self.down_after = 0
        """From the request of this number on, connections are closed without an answer; 0 for never."""
        self.requests = 0
        self.refused = 0
        self.dropped = 0
        self._numbers = itertools.count(1)
        known = json.loads(cluster.kubeconfig().read_text())
        self._upstream = urlsplit(known["clusters"][0]["cluster"]["server"])
        self._tls = ssl.create_default_context(cafile=known["clusters"][0]["cluster"]["certificate-authority"])
        administrator = known["users"][0]["user"]
        self._tls.load_cert_chain(administrator["client-certificate"], administrator["client-key"])
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        known["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{self._server.server_address[1]}"}
        known["users"][0]["user"] = {}
        self.kubeconfig = folder / "kubeconfig-of-the-proxy"
        self.kubeconfig.write_text(json.dumps(known))

    def reset(self) -> None:
        """Pass everything on again, and count anew."""
        self.delay, self.refuse_every, self.denied, self.down_after = 0.0, 0, "", 0
        self.requests = self.refused = self.dropped = 0
        self._numbers = itertools.count(1)

    @contextlib.contextmanager
    def serving(self) -> Iterator["ApiProxy"]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(10)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                with contextlib.suppress(ConnectionError):
                    super().handle_one_request()
                    return
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Nothing."""

            def do_GET(self) -> None:
                number = proxy.requests = next(proxy._numbers)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if proxy.down_after and number >= proxy.down_after:
                    proxy.dropped += 1
                    self.close_connection = True
                    return
                time.sleep(proxy.delay)
                if proxy.denied and proxy.denied in self.path:
                    self._refuse(403)
                elif proxy.refuse_every and number % proxy.refuse_every == 0:
                    self._refuse(429)
                else:
                    self._pass_on(body)

            def _refuse(self, status: int) -> None:
                proxy.refused += 1
                self.send_response(status)
                self.send_header("Retry-After", "1")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

            def _pass_on(self, body: bytes) -> None:
                upstream = http.client.HTTPSConnection(
                    proxy._upstream.hostname or "", proxy._upstream.port, context=proxy._tls, timeout=300
                )
                try:
                    headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
                    upstream.request(self.command, self.path, body or None, headers)
                    answer = upstream.getresponse()
                    self.send_response(answer.status)
                    for name, value in answer.getheaders():
                        if name.lower() not in _HOP_BY_HOP:
                            self.send_header(name, value)
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    # As it comes: a watch has no end.
                    while piece := answer.read1(_PIECE):
                        self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                        if proxy.down_after and proxy.requests >= proxy.down_after:
                            self.close_connection = True
                            return
                    self.wfile.write(b"0\r\n\r\n")
                finally:
                    upstream.close()

        return Handler
