"""Putting a backup back: checked before anything is touched, and with a backup of what was there before.

Files are unpacked beside those of the site while it serves. Then it is put into maintenance mode, its database is made
anew from the dump, and the files change places with the old ones. At last its pods are made anew: each start applies
what the catalogue says of title, address and password, and ends the maintenance.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from urllib.parse import urlsplit

from siteforge import names
from siteforge.blueprint import Blueprint
from siteforge.errors import BackupError, ClusterError
from siteforge.fleet import archives, backup, execution, pods, readiness
from siteforge.fleet.archives import About, Backup
from siteforge.fleet.backup import Workings
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.places import Place
from siteforge.specs import database
from siteforge.specs.wordpress import CONTENT

_NEW, _OLD = ".siteforge-restored", ".siteforge-replaced"

_UNPACK = f"""set -e
cd {CONTENT}
rm -rf {_NEW} {_OLD}
mkdir {_NEW}
tar --directory={_NEW} --extract --file=- --strip-components=1 || {{ code=$?; rm -rf {_NEW}; exit $code; }}
"""

_EXCHANGE = f"""set -e
cd {CONTENT}
mkdir -p {_OLD}
find . -mindepth 1 -maxdepth 1 ! -name {_NEW} ! -name {_OLD} -exec mv --target-directory={_OLD} {{}} +
find {_NEW} -mindepth 1 -maxdepth 1 -exec mv --target-directory=. {{}} +
rm -rf {_NEW} {_OLD}
"""

_EMPTY = f"DROP DATABASE IF EXISTS `{database.NAME}`; CREATE DATABASE `{database.NAME}`;\nUSE `{database.NAME}`;\n"
_LOAD = ("mariadb", "--user=root", "--default-character-set=utf8mb4")


@dataclass(frozen=True)
class Restored:
    """What was put back, and what was there before."""

    backup: Backup
    before: Backup | None
    """None if nobody wanted one."""


def restore(
    cluster: Cluster,
    tenant: Blueprint,
    folder: Place,
    moment: str,
    *,
    source: str = "",
    keep_addresses: bool = False,
    safety: bool = True,
    seconds: float,
    progress: Callable[[str], None] = lambda _: None,
) -> Restored:
    """Put a backup back.

    Args:
        cluster, tenant: where, and whose.
        folder: where backups are; that of what is there now is written there too.
        moment: the backup's time, or `latest`.
        source: whose backup it is, if another tenant's: its addresses become those of this one.
        keep_addresses: whether they stay as they are.
        safety: whether to take that backup.
        seconds: the deadline of readiness.
        progress: is told what is being done.

    Raises:
        BackupError: there is no such backup, or it is damaged; the tenant can't take it. Nothing was changed.
        ClusterError: something failed; says how far it came.
    """
    chosen = archives.find(folder, source or tenant.name, moment)
    moved = not keep_addresses and chosen.about.tenant != tenant.name
    hosts = addresses(chosen.about, tenant) if moved else {}
    return put(cluster, tenant, folder, chosen, hosts, safety=safety, seconds=seconds, progress=progress)


def put(
    cluster: Cluster,
    tenant: Blueprint,
    folder: Place,
    chosen: Backup,
    hosts: Mapping[str, str],
    *,
    safety: bool,
    seconds: float,
    progress: Callable[[str], None],
) -> Restored:
    """Put a backup in the place of what a tenant has.

    Args:
        cluster, tenant: where, and whose.
        folder: where the backup of what is there now is written.
        chosen: the backup.
        hosts: by each old address, host with port and path where it has some: the one that stands for it.
        safety, seconds, progress: as for `restore`.

    Raises:
        BackupError, ClusterError: as `restore`.
    """
    progress(f"checking {chosen.path}")
    chosen.verify()
    of = backup.workings(cluster, tenant)
    before = None
    if safety:
        progress("backup of what is there now")
        before = _safety(cluster, tenant, folder, progress)
    progress("unpacking files")
    execution.output(cluster, of.site, ["sh", "-c", _UNPACK], chosen.read(archives.FILES))
    _exchange(cluster, tenant, of, chosen, hosts, before, progress)
    progress("starting the site anew")
    _start_anew(cluster, tenant, of, seconds)
    return Restored(chosen, before)


def _safety(cluster: Cluster, tenant: Blueprint, folder: Place, progress: Callable[[str], None]) -> Backup:
    try:
        return backup.take(cluster, tenant, folder, maintenance=True, progress=progress)
    except (BackupError, ClusterError) as error:
        raise BackupError(
            f"{error}\n{tenant.name}: no backup could be taken of what is there now; nothing was changed"
            " - use --no-safety-backup if there is nothing worth one"
        ) from None


def _exchange(
    cluster: Cluster,
    tenant: Blueprint,
    of: Workings,
    chosen: Backup,
    hosts: Mapping[str, str],
    before: Backup | None,
    progress: Callable[[str], None],
) -> None:
    """Database and files, while nobody visits the site: only here can a failure leave something half done."""
    try:
        # A site of half a database would show its visitors WordPress's installation.
        with backup.closed(cluster, of, reopen_after_failure=False):
            progress("database")
            for _ in backup.client(cluster, of, _LOAD, _dump(chosen)):
                pass
            if hosts:
                progress("addresses")
                _rewrite(cluster, of, hosts)
            progress("files")
            execution.output(cluster, of.site, ["sh", "-c", _EXCHANGE])
    except (BackupError, ClusterError) as error:
        back = f"; what was there before: --at {before.about.time}" if before else ""
        raise ClusterError(
            f"{error}\n{tenant.name} is neither what it was nor what the backup says, and closed to visitors"
            f" - run the same again{back}"
        ) from None


def addresses(about: About, tenant: Blueprint) -> dict[str, str]:
    """By each host that the site of a backup was reached at: the address that stands for it in this tenant's."""
    full = names.service_host(about.tenant)
    labels = full.split(".")
    public = urlsplit(about.url).hostname
    hosts = [full, ".".join(labels[:3]), ".".join(labels[:2]), *([public] if public else [])]
    return dict.fromkeys(hosts, address(tenant))


def address(tenant: Blueprint) -> str:
    """Where a tenant's site is reached: at its first domain, or else inside the cluster."""
    return tenant.url or f"http://{names.service_host(tenant.name)}"


def _rewrite(cluster: Cluster, of: Workings, hosts: Mapping[str, str]) -> None:
    script = (resources.files("siteforge.fleet") / "rewrite.php").read_bytes()
    execution.output(cluster, of.site, ["php", "--", json.dumps(dict(hosts))], [script])


def _dump(chosen: Backup) -> Iterator[bytes]:
    yield _EMPTY.encode()
    yield from chosen.read(archives.DATABASE)


def _start_anew(cluster: Cluster, tenant: Blueprint, of: Workings, seconds: float) -> None:
    pods.remove(cluster, names.namespace(tenant.name), [site.pod for site in of.sites], seconds)
    unready = readiness.wait(cluster, [tenant], seconds)
    if reasons := unready.get(names.namespace(tenant.name)):
        raise ClusterError(
            f"{tenant.name} is restored, and not ready after {seconds:.0f} s: {'; '.join(reasons)}"
            f" - `siteforge status {tenant.name}` says why"
        )
