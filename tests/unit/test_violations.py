from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from siteforge.constraints import rule
from siteforge.violations import Violation, violations


def lowercase(text: str) -> str:
    if text != text.lower():
        raise rule("not lowercase", "write it in lowercase")
    return text


Key = Annotated[str, AfterValidator(lowercase)]


class Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)

    port_number: Annotated[int, Field(ge=1, le=9, examples=[8])]


class Model(Rule):
    text: str = ""
    switch: bool = False
    words: Annotated[list[str], Field(min_length=1, max_length=2)] = ["a"]
    labels: dict[Key, str] = {}
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
        ("switch", {"a": 1}, "neither true nor false", "", "write one value, not a list or mapping"),
        ("words", "a", "not a list", "a", "begin each item with `- `"),
        ("words", {"a": 1}, "not a list", "", "begin each item with `- `"),
        ("words", [], "fewer than 1 items", "", "write at least 1"),
        ("words", ["a"] * 3, "more than 2 items", "", "write at most 2"),
        ("labels", "a", "not a mapping", "a", "write `key: value` lines below it"),
        ("labels", ["a"], "not a mapping", "", "write `key: value` lines below it"),
        ("choice", "three", "not one of the choices", "three", "use 'one' or 'two'"),
        ("rule", "a", "not a mapping", "a", "write `key: value` lines below it"),
        ("rule", ["a"], "not a mapping", "", "write `key: value` lines below it"),
    ],
)
def test_a_wrong_value_has_a_reason_and_a_fix(key: str, value: Any, reason: str, shown: str, fix: str) -> None:
    assert found(**{key: value}) == [Violation((key,), reason, shown, fix)]


def test_a_wrong_item_of_a_list_is_told_by_its_place() -> None:
    assert found(words=["a", 2]) == [Violation(("words", 1), "not a text", "2", "put it in quotes")]


def test_a_wrong_key_of_a_mapping_is_told_at_the_key_and_a_wrong_value_at_the_value() -> None:
    assert found(labels={"A": "a", "b": 1}) == [
        Violation(("labels", "A"), "not lowercase", "A", "write it in lowercase", at_key=True),
        Violation(("labels", "b"), "not a text", "1", "put it in quotes"),
    ]


def test_a_key_may_have_the_name_by_which_pydantic_marks_keys() -> None:
    assert [(one.path, one.at_key) for one in found(labels={"[key]": 1})] == [(("labels", "[key]"), False)]
    assert [(one.path, one.at_key) for one in found(rule={"portNumber": 1, "[key]": "rule"})] == [
        (("rule", "[key]"), True)
    ]


def test_a_missing_key_is_shown_as_it_would_be_written() -> None:
    assert found(rule={}) == [Violation(("rule", "portNumber"), "missing", "", "add `portNumber: 8`")]


def test_an_unknown_key_is_compared_with_those_of_its_mapping_also_in_a_list() -> None:
    assert found(rules=[{"portNumber": 1, "port_number": 2}]) == [
        Violation(("rules", 0, "port_number"), "unknown key", "", "did you mean portNumber?", at_key=True)
    ]


def test_nothing_is_told_apart_from_a_wrong_value() -> None:
    assert [violation.empty for violation in found(text=None, switch=1, choice=None)] == [True, False, True]
