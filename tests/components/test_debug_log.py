import pulumi
import pytest

from siteforge import debug_log

MESSAGE = "register resource outputs prepared: urn=urn:x, props=fields {hunter2}"


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reaches the engine."""
    messages: list[str] = []

    def debug(msg: str, resource: object = None) -> None:
        messages.append(msg)

    monkeypatch.setattr(pulumi.log, "debug", debug)
    return messages


def test_debug_messages_are_not_sent(said: list[str]) -> None:
    debug_log.restrain({})
    debug_log.restrain({})
    pulumi.log.debug(MESSAGE)
    pulumi.log.debug("something else", resource=None)
    assert said == []


def test_they_are_sent_when_asked_for_but_what_is_registered_as_outputs_is_cut_off(said: list[str]) -> None:
    debug_log.restrain({debug_log.VARIABLE: "yes"})
    debug_log.restrain({debug_log.VARIABLE: "yes"})
    pulumi.log.debug(MESSAGE)
    pulumi.log.debug("something else", resource=None)
    assert said == ["register resource outputs prepared: urn=urn:x", "something else"]
