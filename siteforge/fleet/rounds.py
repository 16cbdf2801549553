"""A round of backups: of every tenant, one after the other, whatever happens to one of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from siteforge.blueprint import Blueprint
from siteforge.errors import BackupError, ClusterError
from siteforge.fleet import backup, retention
from siteforge.fleet.archives import Backup
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.places import Place
from siteforge.fleet.retention import Rule


@dataclass
class Round:
    """What was done."""

    taken: list[Backup] = field(default_factory=list)
    removed: list[Backup] = field(default_factory=list)
    """Old ones that no rule keeps; of a tenant without a new one, none."""
    failed: dict[str, str] = field(default_factory=dict)
    """By tenant, why."""
    skipped: dict[str, str] = field(default_factory=dict)
    """By tenant, why there is nothing that could be backed up here."""


def take(
    cluster: Cluster,
    tenants: Iterable[Blueprint],
    place: Place,
    rules: Sequence[Rule] = (),
    *,
    maintenance: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Round:
    """Back up tenants, and remove the old backups of each once it has a new one.

    Args:
        cluster, tenants: where and whose.
        place: where backups are.
        rules: which are kept; all if there are none.
        maintenance: whether visitors are kept out of each meanwhile.
        progress: is told what is being done.
    """
    done = Round()
    for tenant in tenants:
        if reason := backup.elsewhere(tenant):
            done.skipped[tenant.name] = reason
            continue
        try:
            one = backup.take(
                cluster,
                tenant,
                place,
                maintenance=maintenance,
                progress=lambda step: progress(f"{tenant.name}: {step}"),  # noqa: B023 - it is called before the next
            )
            done.taken.append(one)
            done.removed += retention.prune(place, tenant.name, rules, datetime.now(UTC))
        except (BackupError, ClusterError) as error:
            done.failed[tenant.name] = str(error)
    return done
