"""What needs no database; imports themselves are tested on one (tests/e2e/test_a_site_moves_in.py)."""

import pytest

from siteforge.errors import BackupError
from siteforge.fleet import moving

CORE = ("options", "posts", "usermeta", "users")


def tables(*prefixes: str) -> list[str]:
    return [prefix + table for prefix in prefixes for table in CORE]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (tables("wp_"), ["wp_"]),
        ([*tables("x9_"), "x9_wc_options", "shop_orders"], ["x9_"]),
        (tables("a_", "b_"), ["a_", "b_"]),
        (tables("wp_", "wp_old_"), ["wp_", "wp_old_"]),
        (tables("wp_")[1:], []),
        (tables(""), []),
        ([], []),
    ],
)
def test_a_wordpress_is_known_by_its_tables(names: list[str], found: list[str]) -> None:
    assert moving.prefixes(names) == found


def test_tables_that_are_as_ours_are_left_as_they_are() -> None:
    assert [*moving.statements(dict.fromkeys(tables("wp_"), "InnoDB"), "wp_", "wp_")] == []


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://Old.example.com", "old.example.com"),
        ("http://old.example.com:8080/blog/", "old.example.com:8080/blog"),
        ("https://name:word@old.example.com/a/b", "old.example.com/a/b"),
    ],
)
def test_an_address_is_known_by_all_but_its_scheme(url: str, place: str) -> None:
    assert moving.place(url) == place


@pytest.mark.parametrize("url", ["", "old.example.com", "ftp://old.example.com", "https://", "https:///x", "http://["])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BackupError, match="nothing was changed"):
        moving.place(url)
