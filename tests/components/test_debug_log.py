import pulumi
import pytest

from siteforge import debug_log


def test_what_is_registered_as_outputs_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def debug(msg: str, resource: object = None) -> None:
        said.append(msg)

    monkeypatch.setattr(pulumi.log, "debug", debug)
    debug_log.keep_outputs_out()
    debug_log.keep_outputs_out()
    pulumi.log.debug("register resource outputs prepared: urn=urn:x, props=fields {hunter2}")
    pulumi.log.debug("something else", resource=None)
    assert said == ["register resource outputs prepared: urn=urn:x", "something else"]
