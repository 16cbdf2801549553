"""Traces of a run for OpenTelemetry: where its time went, by cell, phase and tenant.

They are sent by OTLP over HTTP if its standard variable names an endpoint (OTEL_EXPORTER_OTLP_ENDPOINT, or that of
traces alone), and the other standard variables hold as well (opentelemetry.io/docs/specs/otel/protocol/exporter).
Without one, nothing of OpenTelemetry is imported. Whoever receives traces gets names, counts and times: never a
message of an error, for it may quote anything.
"""

import contextlib
import contextvars
import functools
import importlib.metadata
import logging
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeVar

from siteforge import log

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

_DEADLINES = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
_SECONDS = 2.0
"""How long the end of a run waits for an endpoint that doesn't answer, unless a variable says otherwise."""

_Result = TypeVar("_Result")


@contextlib.contextmanager
def span(name: str, **attributes: str | int) -> Iterator[None]:
    """A part of the run, for as long as the block runs; a part of the one that it is in. An error marks it as failed.

    Args:
        name: what is done: of all parts of this kind the same.
        attributes: names and counts; never what may be secret.
    """
    if not (tracer := _tracer()):
        yield
        return
    with tracer.start_as_current_span(
        name, attributes=_named(attributes), record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except BaseException as error:
            # A command ends early with code 0 in the same way.
            if getattr(error, "exit_code", 1):
                _fail(current, type(error).__name__)
            raise


def note(*, failed: str = "", **attributes: str | int) -> None:
    """Say more of the part that is being done.

    Args:
        failed: why it failed, in a fixed word; empty if it did not.
        attributes: as of `span`.
    """
    if _tracer():
        from opentelemetry import trace

        current = trace.get_current_span()
        current.set_attributes(_named(attributes))
        if failed:
            _fail(current, failed)


def record(name: str, started: float, ended: float, *, failed: str = "", **attributes: str | int) -> None:
    """A part of what is being done that has ended.

    Args:
        name, failed, attributes: as of `span` and `note`.
        started, ended: when, in seconds of Unix time.
    """
    if tracer := _tracer():
        past = tracer.start_span(name, attributes=_named(attributes), start_time=int(started * 1e9))
        if failed:
            _fail(past, failed)
        past.end(int(ended * 1e9))


def carried(function: Callable[..., _Result]) -> Callable[..., _Result]:
    """The function for another thread: what it does there is a part of what is being done here."""
    context = contextvars.copy_context()

    @functools.wraps(function)
    def there(*arguments: Any) -> _Result:
        return context.copy().run(function, *arguments)

    return there


def _named(attributes: dict[str, str | int]) -> dict[str, str | int]:
    return {f"siteforge.{key}": value for key, value in attributes.items()}


def _fail(current: "Span", why: str) -> None:
    from opentelemetry.trace import Status, StatusCode

    current.set_status(Status(StatusCode.ERROR, why))


@functools.cache
def _tracer() -> "Tracer | None":
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    _quieten()
    version = importlib.metadata.version("siteforge")
    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "siteforge")})
    provider = TracerProvider(resource=resource)
    seconds = None if any(os.environ.get(name) for name in _DEADLINES) else _SECONDS
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=seconds)))
    return provider.get_tracer("siteforge", version)


def _quieten() -> None:
    """Tell once, as Siteforge tells things, that traces are lost; OpenTelemetry does so again and again."""

    class Once(logging.Handler):
        told = False

        def emit(self, _: logging.LogRecord) -> None:
            if not self.told:
                self.told = True
                log.get(__name__).warning("traces are lost: their endpoint takes none")

    theirs = logging.getLogger("opentelemetry")
    theirs.handlers, theirs.propagate = [Once(logging.WARNING)], False
