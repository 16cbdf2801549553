from collections import Counter
from dataclasses import replace

import pytest

from siteforge.cells import BUCKETS, Cells, bucket
from siteforge.fleet.cells import share


def grown(cells: int, names: list[str]) -> Cells:
    """So many cells, added one after the other."""
    layout = Cells.single("cell-0")
    for number in range(1, cells):
        taken = set(share(layout, names))
        stack = f"cell-{number}"
        owner = tuple(stack if one in taken else old for one, old in enumerate(layout.owner))
        layout = replace(layout, stacks=(*layout.stacks, stack), owner=owner)
    return layout


@pytest.mark.parametrize(("tenants", "cells"), [(50, 2), (200, 8), (1000, 40)])
def test_cells_have_about_as_many_tenants_each(tenants: int, cells: int) -> None:
    names = [f"blog-{number:04}" for number in range(tenants)]
    sizes = Counter(map(grown(cells, names).stack, names))
    assert len(sizes) == cells
    assert max(sizes.values()) <= 1.2 * tenants / cells


def test_without_tenants_cells_have_as_many_buckets_each() -> None:
    layout = grown(5, [])
    sizes = [len(layout.buckets(stack)) for stack in layout.stacks]
    assert sum(sizes) == BUCKETS
    assert max(sizes) - min(sizes) <= 1


def test_a_new_cell_takes_tenants_and_gives_none_away() -> None:
    names = [f"blog-{number}" for number in range(100)]
    two, three = grown(2, names), grown(3, names)
    assert {two.stack(name) for name in names if three.stack(name) != two.stack(name)} == set(two.stacks)
    assert all(three.stack(name) in (two.stack(name), "cell-2") for name in names)


def test_one_tenant_stays_where_it_is() -> None:
    assert grown(2, ["blog-aku"]).stack("blog-aku") == "cell-0"


def test_more_tenants_of_one_bucket_than_is_fair_are_taken_together() -> None:
    same = [name for name in (f"blog-{number}" for number in range(5000)) if bucket(name) == 7]
    assert len(same) > 2
    assert len({grown(2, same).stack(name) for name in same}) == 1
