from pathlib import Path

import pytest

from siteforge import cells
from siteforge.cells import BUCKETS, Cells, Move
from siteforge.errors import CatalogueError, CellsError
from siteforge.tenant_spec import TenantSpec

TWO = 'cells:\n  - stack: prod-a\n    buckets: "0-511"\n  - stack: prod-b\n    buckets: 512-1000, 1001-1023\n'


def load(folder: Path, text: str) -> Cells:
    (folder / "cells.yaml").write_text(text)
    return cells.load(folder / "cells.yaml")


def spec(name: str) -> TenantSpec:
    return TenantSpec(name=name, title="T", adminEmail="a@example.com")  # type: ignore[call-arg]


def test_a_tenants_bucket_is_part_of_the_contract() -> None:
    # The first eight digits of `printf NAME | sha256sum`, modulo 1024: fixed for ever.
    assert {name: cells.bucket(name) for name in ("a", "blog-aku", "shop-lumi")} == {
        "a": 274,
        "blog-aku": 742,
        "shop-lumi": 937,
    }


def test_buckets_are_filled_evenly() -> None:
    counts = [0] * 8
    for number in range(8000):
        counts[cells.bucket(f"tenant-{number}") * 8 // BUCKETS] += 1
    assert min(counts) > 850
    assert max(counts) < 1150


def test_each_tenant_is_in_one_cell(tmp_path: Path) -> None:
    layout = load(tmp_path, TWO)
    specs = [spec(f"tenant-{number}") for number in range(200)]
    found = [layout.tenants(stack, specs) for stack in ("prod-a", "prod-b")]
    assert sorted(one.name for part in found for one in part) == sorted(one.name for one in specs)
    assert all(cells.bucket(one.name) < 512 for one in found[0])


def test_a_single_stack_has_all() -> None:
    assert Cells.single("dev").tenants("dev", [spec("a"), spec("b")]) == [spec("a"), spec("b")]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    layout = load(tmp_path, TWO)
    moving = Cells("cells.yaml", layout.stacks, layout.owner, Move(stack="prod-b", buckets="3, 7-9"))
    for one in (layout, moving):
        again = load(tmp_path, cells.text(one))
        assert (again.stacks, again.owner, again.moving) == (one.stacks, one.owner, one.moving)


def test_a_stack_that_is_no_cell_gets_no_tenant(tmp_path: Path) -> None:
    with pytest.raises(CellsError, match=r"the stack dev is no cell - use one of prod-a, prod-b"):
        load(tmp_path, TWO).tenants("dev", [spec("a")])


def test_no_cell_runs_while_tenants_are_on_their_way(tmp_path: Path) -> None:
    layout = load(tmp_path, TWO + 'moving:\n  stack: prod-b\n  buckets: "0-3"\n')
    for stack in layout.stacks:
        with pytest.raises(CellsError, match=r"buckets 0-3 are on their way to prod-b - finish that with"):
            layout.tenants(stack, [spec("a")])


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", ["1:1: an empty file - begin with `cells:`"]),
        ("cells: []\n", ["1:8: cells: fewer than 1 items - write at least 1"]),
        (
            'cells:\n  - stack: a\n    buckets: "0-1024"\n',
            ["3:14: cells[0].buckets: not a list of buckets (0-1024) - write ranges from 0 to 1023, as in 0-127, 300"],
        ),
        (
            'cells:\n  - stack: a b\n    buckets: "9-3"\n    bucket: 1\n',
            [
                "2:12: cells[0].stack: not the name of a stack (a b)"
                " - use letters, digits, '-', '_' and '.', as in prod-a",
                "3:14: cells[0].buckets: not a list of buckets (9-3) - write ranges from 0 to 1023, as in 0-127, 300",
                "4:5: cells[0].bucket: unknown key - did you mean buckets?",
            ],
        ),
        (
            'cells:\n  - stack: a\n    buckets: "0-600"\n  - stack: b\n    buckets: 500-1020\n  - stack: a\n'
            '    buckets: "1021-1022"\n',
            [
                "2:3: cells: no stack has the buckets 1023 - give them to one: their tenants would be in none",
                "5:14: cells[1].buckets: buckets 500-600 are those of a already (500-1020) - let one stack have them",
                "6:12: cells[2].stack: the same stack twice (a) - write its buckets in one entry",
            ],
        ),
    ],
)
def test_a_wrong_file_is_refused_with_every_mistake(tmp_path: Path, text: str, messages: list[str]) -> None:
    with pytest.raises(CatalogueError) as error:
        load(tmp_path, text)
    assert str(error.value).splitlines() == [f"{tmp_path}/cells.yaml:{message}" for message in messages]
