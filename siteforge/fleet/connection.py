"""The connection to a cluster's API server: one request at a time, or an answer that is read as it comes.

lightkube finds the way and authenticates. What passes by itself is waited for: a connection that breaks off, a server
that has too much to do.
"""

import contextlib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import httpx2 as httpx
import msgspec
from lightkube.config.client_adapter import Client, ConnectionParams
from lightkube.core.exceptions import ConfigError

from siteforge import log
from siteforge.errors import ClusterError
from siteforge.fleet import kubeconfig

TIMEOUT_SECONDS: Final = 30.0
CONNECT_SECONDS: Final = 5.0
WHOLE: Final = msgspec.json.Decoder(dict[str, Any])
"""Takes an answer as it is."""

_log = log.get(__name__)

_TRIES = 3
_REFUSALS = 10
"""So often it waits for a server that has too much to do, as client-go does (maxRetries in rest/request.go)."""


class WatchEndedError(ClusterError):
    """A watch can't go on: what has happened since is known by a list only."""


class Connection:
    """A connection to an API server, which several threads may use.

    Args:
        context: the kubeconfig's context; None stands for the current one.
        seconds: the deadline of a request.

    Raises:
        ClusterError: there is no such context, or no kubeconfig.
    """

    def __init__(self, context: str | None, seconds: float) -> None:
        found = kubeconfig.find(context)
        config = found.config
        self.context, self.server = config.context_name, config.cluster.server
        timeout = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
        try:
            self.http = Client(config, ConnectionParams(timeout=timeout))
        except (ConfigError, OSError) as error:
            raise ClusterError(f"kubeconfig, context {self.context}: {error} - mend its user or cluster") from None
        if not found.compressed:
            self.http.headers["Accept-Encoding"] = "identity"
        self.requests = 0
        """How many were made."""

    @contextlib.contextmanager
    def stream(
        self,
        path: str,
        query: Sequence[tuple[str, str]],
        *,
        headers: Mapping[str, str] | None = None,
        silence: float | None = TIMEOUT_SECONDS,
        wanted: int = httpx.codes.OK,
    ) -> Iterator[httpx.Response]:
        """What a path answers, to be read as it comes.

        Args:
            path: which.
            query: names and values; a name may be there more than once.
            headers: besides those of every request.
            silence: seconds that the server may say nothing; None for as long as it likes.
            wanted: the status of an answer.

        Raises:
            ClusterError: the server refuses; WatchEndedError: it no longer has the version that was asked for.
            httpx.HTTPError: the connection can't be made, or breaks off: see `unreachable`.
        """
        timeout = httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS, read=silence)
        for refused in range(_REFUSALS + 1):
            self.requests += 1
            with self.http.stream("GET", path, params=list(query), headers=headers, timeout=timeout) as answer:
                if answer.status_code == httpx.codes.TOO_MANY_REQUESTS and refused < _REFUSALS:
                    _rest(answer)
                    continue
                if answer.status_code != wanted:
                    answer.read()
                    _raise(answer, path)
                yield answer
                return

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        absent_ok: bool = False,
        decoder: "msgspec.json.Decoder[Any]" = WHOLE,
    ) -> dict[str, Any]:
        """What a path answers.

        Args:
            method, path, query: as HTTP has them.
            body: what is sent, as JSON.
            content_type: what that is called.
            absent_ok: whether nothing is answered where there is no such thing.
            decoder: what takes the answer.

        Raises:
            ClusterError: the server can't be asked, or refuses.
        """
        content = None if body is None else msgspec.json.encode(body)
        began = time.monotonic()
        failed = refused = 0
        while True:
            self.requests += 1
            try:
                answer = self.http.request(
                    method, path, params=query, content=content, headers={"Content-Type": content_type}
                )
            except (httpx.HTTPError, ConfigError, OSError) as error:
                failed += 1
                if failed == _TRIES or method == "POST":
                    raise self.unreachable(error) from None
                _log.warning("request failed, trying again", method=method, path=path, error=str(error))
                continue
            _log.debug("request", method=method, path=path, status=answer.status_code, seconds=_since(began))
            if answer.status_code == httpx.codes.NOT_FOUND and absent_ok:
                return {}
            if answer.status_code == httpx.codes.TOO_MANY_REQUESTS and refused < _REFUSALS:
                refused += 1
                _rest(answer)
                continue
            if answer.is_error:
                _raise(answer, path)
            try:
                found: dict[str, Any] = decoder.decode(answer.content)
                return found
            except msgspec.DecodeError:
                raise ClusterError(
                    f"what answers at {self.server} is no API server: {path} is not JSON"
                    " - is this the address of the cluster in the kubeconfig?"
                ) from None

    def unreachable(self, error: Exception) -> ClusterError:
        """What to raise for an error of the connection."""
        reason = str(error) or type(error).__name__
        return ClusterError(
            f"the API server at {self.server} can't be asked: {reason} - is the cluster up and reachable?"
        )


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)


def _rest(answer: httpx.Response) -> None:
    """Do as the API server asks that has too much to do (Retry-After, in seconds)."""
    text = answer.headers.get("Retry-After", "1")
    time.sleep(min(float(text) if re.fullmatch("[0-9]+", text) else 1.0, CONNECT_SECONDS))


def _raise(answer: httpx.Response, path: str) -> None:
    try:
        said = msgspec.json.decode(answer.content).get("message", "")
    except (msgspec.DecodeError, AttributeError):
        said = ""
    if answer.status_code == httpx.codes.GONE:
        raise WatchEndedError(said or path)
    fix = {401: "log in again", 403: "ask for the right, or use another context"}.get(answer.status_code, "")
    reason = said or answer.reason_phrase
    raise ClusterError(f"the API server refuses {path} ({answer.status_code}): {reason}{f' - {fix}' if fix else ''}")
