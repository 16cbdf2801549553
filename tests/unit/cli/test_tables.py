from siteforge.cli import tables


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    assert tables.lines(["A", "LONG"], [["wide", "1"], ["", ""]]) == ["A     LONG", "wide  1", ""]
    assert tables.lines(["A", "B"], []) == ["A  B"]
