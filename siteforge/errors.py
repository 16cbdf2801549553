"""What can go wrong, for the person who reads it.

SiteforgeError             anything Siteforge itself reports; never shown as a traceback
├── BackupError            a backup can't be taken, found or used
├── CatalogueError         the catalogue can't be used; carries every problem found, not just the first
├── TenantArgsError        a program of one's own passed arguments that no tenant can have (components/tenant.py)
├── CapacityError          the cluster, or a tenant's own quota, has less than the tenants need
├── ClusterError           the cluster can't be asked, or refuses
├── CellsError             the stack that runs is none of the catalogue's cells, or tenants are on their way
├── EngineError            Pulumi can't be run, or fails
├── SettingsError          the stack's configuration is missing something or holds a wrong value
└── UnsafeError            what the catalogue or the cluster is now would lose data that nobody gave up
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

MAXIMUM_PROBLEMS = 1000
"""Nobody reads more at once, and a file of nothing but mistakes must not take minutes to tell them."""


def printable(text: str) -> str:
    """The text on one line, without characters that a terminal would act on or turn around."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


class SiteforgeError(Exception):
    """Anything Siteforge itself reports: what is wrong, where, and what to do about it."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong in a catalogue.

    Printed as `file:line:column: path: reason (value) - fix`, on one line whatever the file says.
    """

    file: str
    line: int
    """Counted from 1."""
    column: int
    """Counted from 1."""
    path: str
    """The field, as in `tenants[2].wordpress.image`; empty when the file as a whole is meant."""
    reason: str
    value: str = ""
    """The offending value, shortened; empty when there is none to show."""
    fix: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: "
        path = f"{self.path}: " if self.path else ""
        value = f" ({self.value})" if self.value else ""
        fix = f" - {self.fix}" if self.fix else ""
        return printable(f"{place}{path}{self.reason}{value}{fix}")


class CatalogueError(SiteforgeError):
    """The catalogue can't be used.

    Args:
        problems: everything that is wrong; after MAXIMUM_PROBLEMS, a last one says that more follow.
    """

    problems: list[Problem]
    """In the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = list(itertools.islice(problems, MAXIMUM_PROBLEMS + 1))
        self.problems = sorted(found[:MAXIMUM_PROBLEMS])
        if len(found) > MAXIMUM_PROBLEMS:
            last = self.problems[-1]
            more = Problem(last.file, last.line, last.column, "", "more problems follow", fix="mend those above first")
            self.problems.append(more)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class BackupError(SiteforgeError):
    """A backup can't be taken, found or used."""


class CapacityError(SiteforgeError):
    """The cluster has less than the tenants need."""


class ClusterError(SiteforgeError):
    """The cluster can't be asked, or refuses what was asked."""


class CellsError(SiteforgeError):
    """The stack that runs is none of the catalogue's cells, or tenants are on their way from one to another."""


class AdoptionError(SiteforgeError):
    """A tenant can't be taken over as it is."""


class EngineError(SiteforgeError):
    """Pulumi can't be run, or fails."""


class SettingsError(SiteforgeError):
    """The stack's configuration is missing something or holds a wrong value."""


class UnsafeError(SiteforgeError):
    """A run would lose data that nobody gave up, or change another cluster than the stack's."""
