"""What a rule is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .manifests import Manifest


@dataclass(frozen=True)
class ObjectRule:
    """A rule that looks at one object alone; its check yields what is wrong, with the value."""

    name: str
    promise: str
    """What must be so, which is also the fix."""
    check: Callable[[Manifest], Iterator[str]]


@dataclass(frozen=True)
class ClusterRule:
    """A rule that needs all objects to judge one, as what belongs to it may be missing."""

    name: str
    promise: str
    """What must be so, which is also the fix."""
    check: Callable[[Sequence[Manifest]], Iterator[tuple[Manifest, str]]]
