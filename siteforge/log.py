"""What Siteforge does, told on standard error as it does it: in lines for a person, or as JSON for a program.

Each line has the run's identity, so that those of one run can be found among those of many. Results go to standard
output and mistakes to standard error by themselves; the log is what helps to understand both.
"""

import os
import re
import secrets
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, Literal

import structlog

Level = Literal["debug", "info", "warning", "error"]
Form = Literal["auto", "human", "json"]

REDACTED: Final = "[redacted]"

_SECRET = re.compile("pass(word|phrase)|secret|token|credential|authorization|private.?key", re.IGNORECASE)


def get(name: str) -> Any:
    """The log of a module, whose methods are the levels: `get(__name__).info("what happened", tenant="blog")`."""
    return structlog.get_logger(module=name)


def configure(level: Level = "warning", form: Form = "auto") -> str:
    """From now on, log what is at least this important. Returns the run's identity.

    Args:
        level: debug tells of every request.
        form: auto is human on a terminal, JSON elsewhere. Colours respect NO_COLOR (no-color.org).
    """
    run = secrets.token_hex(4)
    human = form == "human" or (form == "auto" and sys.stderr.isatty())
    colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    structlog.configure(
        processors=[
            lambda _, __, event: {"run": run, **event},
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redacted,
            structlog.dev.ConsoleRenderer(colors=colours) if human else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    return run


def redacted(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The event without the values of whatever is called a secret, however deep."""
    return {key: _hidden(key, value) for key, value in event.items()}


def _hidden(key: str, value: Any) -> Any:
    if _SECRET.search(key):
        return REDACTED
    if isinstance(value, Mapping):
        return {inner: _hidden(str(inner), one) for inner, one in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden("", one) for one in value]
    return value


# Unconfigured, structlog would print on standard output, where results go.
configure()
