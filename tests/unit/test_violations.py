from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from siteforge.violations import Violation, violations


class Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)

    port_number: Annotated[int, Field(ge=1, le=9, examples=[8])]


class Model(Rule):
    text: str = ""
    switch: bool = False
    words: Annotated[list[str], Field(min_length=1, max_length=2)] = ["a"]
    labels: dict[str, str] = {}
    choice: Literal["one", "two"] = "one"
    rule: Rule | None = None
    rules: list[Rule] = []


def found(**values: Any) -> list[Violation]:
    with pytest.raises(ValidationError) as error:
        Model.model_validate({"portNumber": 1, **values}, by_alias=True, by_name=False)
    return list(violations(error.value, Model))


@pytest.mark.parametrize(
    ("key", "value", "reason", "shown", "fix"),
    [
        ("portNumber", 0, "less than 1", "0", "use at least 1"),
        ("portNumber", 10, "more than 9", "10", "use at most 9"),
        ("portNumber", "1", "not a whole number", "1", "write digits only, without quotes, as in 2"),
        ("text", 1, "not a text", "1", "put it in quotes"),
        ("text", ["a"], "not a text", "", "write one value, not a list or mapping"),
        ("switch", "no", "neither true nor false", "no", "write true or false, without quotes"),
        ("words", "a", "not a list", "a", "begin each item with `- `"),
        ("words", [], "fewer than 1 items", "", "write at least 1"),
        ("words", ["a"] * 3, "more than 2 items", "", "write at most 2"),
        ("labels", "a", "not a mapping", "a", "write `key: value` lines below it"),
        ("choice", "three", "not one of the choices", "three", "use 'one' or 'two'"),
        ("rule", "a", "not a mapping", "a", "write `key: value` lines below it"),
        ("rule", ["a"], "not a mapping", "", "write `key: value` lines below it"),
    ],
)
def test_a_wrong_value_has_a_reason_and_a_fix(key: str, value: Any, reason: str, shown: str, fix: str) -> None:
    assert found(**{key: value}) == [Violation((key,), reason, shown, fix)]


def test_a_missing_key_is_shown_as_it_would_be_written() -> None:
    assert found(rule={}) == [Violation(("rule", "portNumber"), "missing", "", "add `portNumber: 8`")]


def test_an_unknown_key_is_compared_with_those_of_its_mapping_also_in_a_list() -> None:
    assert found(rules=[{"portNumber": 1, "port_number": 2}]) == [
        Violation(("rules", 0, "port_number"), "unknown key", "", "did you mean portNumber?", at_key=True)
    ]


def test_nothing_is_told_apart_from_a_wrong_value() -> None:
    assert [violation.empty for violation in found(text=None, switch=1, choice=None)] == [True, False, True]
