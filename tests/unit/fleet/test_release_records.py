from pathlib import Path

from siteforge.fleet.release_records import name


def test_two_stacks_never_share_a_record() -> None:
    assert name("a", "b/c") != name("a/b", "d")
    assert Path(name("a", "b/../c")).name == name("a", "b/../c")
