"""What can go wrong, for the person who reads it.

SiteforgeError             anything Siteforge itself reports; never shown as a traceback
├── CatalogueError         the catalogue can't be used; carries every problem found, not just the first
├── TenantArgsError        a program of one's own passed arguments that no tenant can have (components/tenant.py)
├── CapacityError          the cluster has less than the tenants need
└── SettingsError          the stack's configuration is missing something or holds a wrong value
"""

from dataclasses import dataclass


class SiteforgeError(Exception):
    """Anything Siteforge itself reports: what is wrong, where, and what to do about it."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong in a catalogue, printed as `file:line:column: path: reason (value) - fix`."""

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
        return f"{place}{path}{self.reason}{value}{fix}"


class CatalogueError(SiteforgeError):
    """The catalogue can't be used.

    Args:
        problems: everything that is wrong, in the order of the file.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class CapacityError(SiteforgeError):
    """The cluster has less than the tenants need."""


class SettingsError(SiteforgeError):
    """The stack's configuration is missing something or holds a wrong value."""
