"""Rings: the order in which a release reaches tenants, the few that may fail first."""

from typing import Final, Literal, get_args

Ring = Literal["canary", "early", "all"]

RINGS: Final[tuple[Ring, ...]] = get_args(Ring)
"""In the order in which a release goes through them."""

LAST: Final[Ring] = RINGS[-1]
"""That of tenants that name none."""


def parse(text: str) -> list[Ring]:
    """The rings of a text as in `canary,early`, in the order of releases, however they are written.

    Raises:
        ValueError: one of them is none; says which.
    """
    asked = [word.strip() for word in text.split(",")]
    if unknown := [word for word in asked if word not in RINGS]:
        raise ValueError(f"no ring ({unknown[0]}) - the rings are {', '.join(RINGS)}")
    return [ring for ring in RINGS if ring in asked]
