"""Which backups of a tenant are kept: the newest ones, those of some time, and always the last."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from siteforge.errors import BackupError
from siteforge.fleet import archives, places
from siteforge.fleet.archives import Backup
from siteforge.fleet.places import Place


@dataclass(frozen=True)
class Rule:
    """What is kept: so many, or what is not older."""

    newest: int = 0
    seconds: float = 0


def superfluous(backups: Sequence[Backup], rules: Iterable[Rule], now: datetime) -> list[Backup]:
    """The backups that no rule keeps.

    Args:
        backups: all complete ones of a tenant, the newest first, which is kept whatever the rules say.
        rules: none keeps all.
        now: the time.
    """
    rules = list(rules)
    if not rules:
        return []
    newest = max(1, *(rule.newest for rule in rules))
    seconds = max(rule.seconds for rule in rules)
    return [one for one in backups[newest:] if (now - datetime.fromisoformat(one.about.time)).total_seconds() > seconds]


def prune(place: Place, tenant: str, rules: Iterable[Rule], now: datetime) -> list[Backup]:
    """Remove the backups of a tenant that no rule keeps. What is no complete backup counts for none, and is left.

    Args:
        place: where backups are.
        tenant: whose.
        rules, now: as of `superfluous`.

    Returns:
        What was removed.

    Raises:
        BackupError: one can't be removed.
    """
    found, _ = archives.listed(place, tenant)
    removed = superfluous(found, rules, now)
    for one in removed:
        try:
            places.remove(one.path)
        except OSError as error:
            raise BackupError(f"{one.path} can't be removed ({error.strerror}) - look at its folder") from None
    return removed
