from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from siteforge import outputs
from siteforge.errors import EngineError

CUT_OFF = Exception("failed to load checkpoint: EOF")


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float]]:
    """Have the engine answer so, one answer an attempt; returns the pauses that are made."""

    def prepare(*answers: Any) -> list[float]:
        left, pauses = list(answers), list[float]()

        def invoke(*_: Any) -> Any:
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return SimpleNamespace(value={"outputs": answer})

        monkeypatch.setattr(pulumi.runtime, "invoke", invoke)
        monkeypatch.setattr("time.sleep", pauses.append)
        return pauses

    return prepare


def test_a_state_that_is_being_written_is_read_again(reading: Callable[..., list[float]]) -> None:
    pauses = reading(CUT_OFF, CUT_OFF, {"cluster": "c"})
    assert outputs.previous() == {"cluster": "c"}
    assert pauses == [0.1, 0.2]


def test_a_state_that_stays_unreadable_is_told_within_seconds(reading: Callable[..., list[float]]) -> None:
    pauses = reading(*[CUT_OFF] * 6)
    with pytest.raises(EngineError, match="EOF - is its backend up"):
        outputs.previous()
    assert 2 < sum(pauses) < 5


def test_before_the_first_run_nothing_was_told(reading: Callable[..., list[float]]) -> None:
    assert reading(None) == []
    assert outputs.previous() == {}
