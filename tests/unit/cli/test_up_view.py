from siteforge.cli import up_view
from siteforge.fleet.engine import Outcome, Run
from siteforge.fleet.up import Summary


def outcome(stack: str, *tenants: str, seconds: float, **changes: int) -> Outcome:
    return Outcome(Run(stack, tenants, confined=False), seconds=seconds, changes=changes)


def test_cells_are_told_apart_the_worst_first_and_then_the_slowest() -> None:
    outcomes = [
        outcome("prod", "a", "b", seconds=2, create=40),
        outcome("prod-b", "c", seconds=1, same=3),
        outcome("prod-c", "d", seconds=3, create=20, same=1),
        outcome("prod-b", "e", seconds=0.5, update=1),
    ]
    assert up_view.table(Summary(outcomes, failed={"c": ["not ready"]})) == [
        "CELL    TENANTS  CREATE  SAME  UPDATE  FAILED  SECONDS",
        "prod-b  2        0       3     1       1       1.5",
        "prod-c  1        20      1     0       0       3.0",
        "prod    2        40      0     0       0       2.0",
    ]


def test_one_cell_needs_no_table_and_hundreds_have_a_short_one() -> None:
    one = outcome("prod", "a", seconds=1)
    assert up_view.table(Summary([one, one])) == []
    many = up_view.table(Summary([outcome(f"prod-{number}", seconds=number) for number in range(200)]))
    assert (len(many), many[1].split()[0], many[-1]) == (22, "prod-199", "and 180 more")
