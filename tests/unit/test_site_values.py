from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from siteforge.secrets import SALTS
from siteforge.site_values import ConstantName, Constants, ConstantValue, Environment, EnvName, EnvValue

REFUSED_BY_BOTH = [
    "",
    "1A",
    "A-B",
    "A B",
    "A'B",
    "A\n",
    "Ä",
    "${A}",
    "A=B",
    "MAIL_PASSWORD",
    "MY_SECRET",
    "A_TOKEN",
    "X_KEY",
]


def accepts(kind: Any, value: object) -> bool:
    try:
        # Strict, as the catalogue's models are: the value comes out as it went in, with its type.
        return repr(TypeAdapter(kind).validate_python(value, strict=True)) == repr(value)
    except ValidationError:
        return False


@pytest.mark.parametrize("name", [*REFUSED_BY_BOTH, "WORDPRESS_DB_HOST", "siteforge_x", "PATH", "PHPRC", "LD_PRELOAD"])
def test_a_variable_has_no_name_that_breaks_the_site_or_looks_secret(name: str) -> None:
    assert not accepts(EnvName, name)


@pytest.mark.parametrize("name", [*REFUSED_BY_BOTH, "wp_debug", "WP_HOME", "WP_SITEURL", "ABSPATH", "DB_NAME", *SALTS])
def test_a_constant_has_no_name_that_breaks_the_site_or_looks_secret(name: str) -> None:
    assert not accepts(ConstantName, name)


@pytest.mark.parametrize("name", ["FEATURE_FLAGS", "KEYBOARD", "A1", "COMPASS"])
def test_other_names_are_taken(name: str) -> None:
    assert accepts(EnvName, name)
    assert accepts(ConstantName, name)


@pytest.mark.parametrize(
    "value", [True, False, 0, 1, -1, 2**63 - 1, -(2**63), "", "1", "true", "a\n\tb", "'\"\\$<?>é😀"]
)
def test_a_constant_keeps_its_value_and_type(value: object) -> None:
    assert accepts(ConstantValue, value)


@pytest.mark.parametrize("value", [1.0, None, [], {}, 2**63, "\x00", "\x1b[2J", "\ud800", "\u202e"])
def test_a_constant_is_nothing_that_php_can_not_hold(value: object) -> None:
    assert not accepts(ConstantValue, value)


@pytest.mark.parametrize("value", ["\x00", "\x1b[2J", "\ud800", 1, True, None])
def test_a_variable_is_a_text_that_an_environment_can_hold(value: object) -> None:
    assert not accepts(EnvValue, value)


@pytest.mark.parametrize("kind", [Environment, Constants])
def test_all_values_together_fit_into_an_object_of_the_api_server(kind: Any) -> None:
    assert accepts(kind, {f"A{i}": "x" * 1000 for i in range(60)})
    assert not accepts(kind, {f"A{i}": "x" * 1000 for i in range(70)})
    # As JSON a character may take twelve bytes.
    assert not accepts(kind, {"A": "😀" * 10_000})
