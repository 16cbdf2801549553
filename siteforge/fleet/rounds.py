"""A round of backups: of every tenant, some at once, whatever happens to one of them."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
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
    jobs: int = 1,
    maintenance: bool = False,
    suspended: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Round:
    """Back up tenants, and remove the old backups of each once it has a new one.

    Args:
        cluster, tenants: where and whose.
        place: where backups are.
        rules: which are kept; all if there are none.
        jobs: how many at once; one alone ends at once on Ctrl-C, of several those that are under way end first.
        maintenance: whether visitors are kept out of each meanwhile.
        suspended: whether suspended tenants are backed up, too: pods are started for it.
        progress: is told what is being done.
    """
    done = Round()

    def one(tenant: Blueprint) -> None:
        if reason := backup.elsewhere(tenant):
            done.skipped[tenant.name] = reason
            return
        if tenant.suspended and not suspended:
            fix = f"`siteforge backup {tenant.name}` copies it"
            done.skipped[tenant.name] = f"{tenant.name} is suspended, and stays as it is - {fix}"
            return
        try:
            taken = backup.take(
                cluster,
                tenant,
                place,
                maintenance=maintenance,
                progress=lambda step: progress(f"{tenant.name}: {step}"),
            )
            done.taken.append(taken)
            done.removed.extend(retention.prune(place, tenant.name, rules, datetime.now(UTC)))
        except (BackupError, ClusterError) as error:
            done.failed[tenant.name] = str(error)

    if jobs == 1:
        for tenant in tenants:
            one(tenant)
        return done
    pool = ThreadPoolExecutor(jobs)
    try:
        list(pool.map(one, tenants))
    finally:
        pool.shutdown(cancel_futures=True)
    return done
