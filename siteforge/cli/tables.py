"""Plain tables: a head and a line a row, in columns as wide as what is in them."""

from collections.abc import Sequence


def lines(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The head and each row, as lines without trailing spaces."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (heads, *rows)
    ]
