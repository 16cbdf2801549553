"""Taking a backup of a tenant: its database and its files, as they were at one moment.

The database gives a consistent view of itself (one transaction over InnoDB). Files have no such view: they are listed
before the database is read and after they are, with the time of every change that the file system knows of. If nothing
changed in between, files and database are those of the moment at which the database was read; if something did, it is
all done again. A site that never rests is put into WordPress's maintenance mode.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from siteforge import names
from siteforge.blueprint import Blueprint
from siteforge.errors import BackupError, ClusterError
from siteforge.fleet import archives, dumps, execution, suspended
from siteforge.fleet.archives import About, Backup, Writer
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.execution import Container
from siteforge.fleet.kinds import POD
from siteforge.fleet.places import Place
from siteforge.names import DATABASE, WORDPRESS
from siteforge.specs import database, pods
from siteforge.specs.manifest import Manifest
from siteforge.specs.wordpress import ROOT, SUSPENDED

_TRIES = 3
_MAINTENANCE: Final = f"{ROOT}/.maintenance"
_MAINTENANCE_SECONDS = 120
"""After so long the site opens by itself, should nobody live to open it."""

# root's password is a file of the pod; a variable of the client's own process shows it to nobody else.
_CLIENT = f'MYSQL_PWD="$(cat {pods.SECRETS_FOLDER}/root-password)" exec "$@"'
_DUMP = (
    *("mariadb-dump", "--user=root", "--single-transaction", "--quick", "--hex-blob"),
    *("--default-character-set=utf8mb4", "--routines", "--triggers", "--events"),
)

_TABLES = f"SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{database.NAME}'"  # noqa: S608 - constant
_UNSAFE_TABLES = (
    "SELECT TABLE_NAME FROM information_schema.TABLES"  # noqa: S608 - all constants
    f" WHERE TABLE_SCHEMA = '{database.NAME}' AND TABLE_TYPE = 'BASE TABLE' AND ENGINE <> 'InnoDB'"
)

UNFINISHED: Final = ".siteforge-*"
"""In wp-content: what a restore that failed left."""

# What plugins cache on every visit is no part of a site's state.
_CHANGES = (
    f"cd {ROOT} && find wp-content '(' -path wp-content/cache -o -path 'wp-content/{UNFINISHED}' ')' -prune"
    " -o -printf '%p %y %s %T@ %C@ %l\\n'"
)
# 1 says that a file changed while it was read, which is found out otherwise.
_ARCHIVE = f"tar --directory={ROOT} --create --file=- --exclude='wp-content/{UNFINISHED}' wp-content || [ $? -eq 1 ]"
# Where the core runs, or, of a suspended site, where the image has it (docker-entrypoint.sh of the official image).
_VERSION = (
    f"foreach (['{ROOT}', '/usr/src/wordpress'] as $folder)"
    " if (is_file($file = $folder . '/wp-includes/version.php')) { include $file; break; }"
    " echo $wp_version;"
)


@dataclass(frozen=True)
class Workings:
    """The containers of a running tenant."""

    sites: tuple[Container, ...]
    """At least one."""
    database: Container

    @property
    def site(self) -> Container:
        """Any of the site's, which have the same files."""
        return self.sites[0]


def workings(cluster: Cluster, tenant: Blueprint) -> Workings:
    """The containers of a tenant that run, whether they are ready or not.

    Raises:
        BackupError: the tenant is suspended, its database is kept elsewhere, or something doesn't run.
        ClusterError: the API server can't be asked, or refuses.
    """
    if reason := elsewhere(tenant):
        raise BackupError(reason)
    if tenant.suspended:
        fix = f"`siteforge resume {tenant.name}` first"
        raise BackupError(f"{tenant.name} is suspended, and nothing of it runs - {fix}")
    namespace = names.namespace(tenant.name)
    found = cluster.objects(POD, labels=f"app.kubernetes.io/instance={tenant.name}", namespace=namespace)
    sites = tuple(Container(namespace, one["metadata"]["name"], WORDPRESS) for one in found if _runs(one, WORDPRESS))
    databases = [Container(namespace, one["metadata"]["name"], DATABASE) for one in found if _runs(one, DATABASE)]
    if not sites or not databases:
        missing = "site" if databases else "database"
        raise BackupError(f"{tenant.name}: no pod of its {missing} runs - `siteforge status {tenant.name}` says why")
    return Workings(sites, databases[0])


def elsewhere(tenant: Blueprint) -> str:
    """Why there is no database of a tenant that commands in its pods could copy; empty if there is."""
    if tenant.database is None:
        where = tenant.external_database.host if tenant.external_database else "elsewhere"
        return f"{tenant.name}: its database is kept by {where} - back it up there"
    return ""


def _runs(pod: Manifest, role: str) -> bool:
    metadata, containers = pod["metadata"], pod.get("status", {}).get("containerStatuses", ())
    labels = metadata.get("labels", {})
    return (
        labels.get("app.kubernetes.io/name") == role
        and not labels.items() >= SUSPENDED.items()
        and not metadata.get("deletionTimestamp")
        and any(one["name"] == role and "running" in one.get("state", {}) for one in containers)
    )


def take(
    cluster: Cluster,
    tenant: Blueprint,
    folder: Place,
    *,
    maintenance: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Backup:
    """Take a backup; of a suspended tenant, from pods that are started for it and nobody else.

    Args:
        cluster, tenant: where and whose.
        folder: where backups are.
        maintenance: whether visitors are kept out meanwhile.
        progress: is told what is being done.

    Raises:
        BackupError: there is nothing to take it from, the site never rested, or it can't be written.
        ClusterError: the API server can't be asked, or refuses; a command in a pod failed.
    """
    if tenant.suspended and not elsewhere(tenant):
        progress("starting its database")
        with suspended.woken(cluster, tenant) as (site, its_database):
            of = Workings((site,), its_database)
            if sql(cluster, of, _TABLES).strip() == "0":
                raise BackupError(f"{tenant.name}: its database is empty - it was suspended before it ever ran")
            # Nobody writes to it, whatever its tables are.
            return _take(cluster, tenant, of, folder, progress, maintenance=False)
    of = workings(cluster, tenant)
    if maintenance:
        with closed(cluster, of):
            return _take(cluster, tenant, of, folder, progress, maintenance=True)
    if unsafe := sql(cluster, of, _UNSAFE_TABLES).split():
        raise BackupError(
            f"{tenant.name}: tables that can't be read as of one moment while the site runs: {', '.join(unsafe)}"
            " - convert them to InnoDB, or use --maintenance"
        )
    return _take(cluster, tenant, of, folder, progress, maintenance=False)


def _take(
    cluster: Cluster,
    tenant: Blueprint,
    of: Workings,
    folder: Place,
    progress: Callable[[str], None],
    *,
    maintenance: bool,
) -> Backup:
    assert tenant.database is not None
    for _ in range(_TRIES):
        before, time = _files(cluster, of), archives.now()
        about = About(
            tenant=tenant.name,
            time=time,
            wordpress_image=tenant.site.image,
            wordpress_version=execution.output(cluster, of.site, ["php", "-r", _VERSION]),
            database_image=tenant.database.image,
            url=tenant.url or "",
            maintenance=maintenance,
        )
        with Writer(folder, tenant.name) as writer:
            progress("database")
            writer.add(archives.DATABASE, dump(cluster, of, tenant.name))
            progress("files")
            writer.add(archives.FILES, execution.stream(cluster, of.site, ["sh", "-c", _ARCHIVE]))
            after = _files(cluster, of)
            if before == after:
                return writer.finish(about)
        changed = sorted({line.partition(" ")[0] for line in before ^ after})
        progress(f"again, for {changed[0]} changed meanwhile")
    raise BackupError(
        f"{tenant.name}: files changed each time while they were copied ({', '.join(changed[:3])}) - nothing was"
        " written; try at a quieter time, or use --maintenance"
    )


def _files(cluster: Cluster, of: Workings) -> set[str]:
    return set(execution.output(cluster, of.site, ["sh", "-c", _CHANGES]).splitlines())


def dump(cluster: Cluster, of: Workings, tenant: str, name: str = database.NAME) -> Iterator[bytes]:
    """What a database holds, as SQL, as of one moment.

    Args:
        cluster, of, tenant: where, and whose.
        name: the database's.

    Raises:
        BackupError: the dump has no end.
        ClusterError: as `execution.stream`.
    """
    end = b""
    for piece in client(cluster, of, (*_DUMP, name)):
        end = (end + piece)[-200:]
        yield piece
    if dumps.COMPLETE not in end:
        raise BackupError(f"{tenant}: the dump of its database has no end - try again")


def client(
    cluster: Cluster, of: Workings, command: tuple[str, ...], stdin: Iterator[bytes] | None = None
) -> Iterator[bytes]:
    """What a client of the tenant's database writes, being root there.

    Raises:
        ClusterError: as `execution.stream`.
    """
    return execution.stream(cluster, of.database, ["sh", "-c", _CLIENT, "sh", *command], stdin)


def sql(cluster: Cluster, of: Workings, statement: str) -> str:
    """What the tenant's database answers, a line a row, without a head.

    Raises:
        ClusterError: as `execution.stream`.
    """
    command = ("mariadb", "--user=root", "--batch", "--skip-column-names", f"--execute={statement}")
    return b"".join(client(cluster, of, command)).decode()


@contextmanager
def closed(cluster: Cluster, of: Workings, *, reopen_after_failure: bool = True) -> Iterator[None]:
    """WordPress's maintenance mode (wp_maintenance): every request is answered with 503 by all pods of the site.

    The file that asks for it says until when it holds, and is renewed: if nobody lives to remove it, the site opens.

    Args:
        cluster, of: where, and whose.
        reopen_after_failure: whether an error inside opens the site, too; else it is closed until its pods are new.

    Raises:
        ClusterError: it can't be had.
    """
    # WordPress takes a time of ten minutes ago for over (wp-includes/load.php, wp_is_maintenance_mode).
    until = f'"$(($(date +%s) + {_MAINTENANCE_SECONDS} - 600))"'
    write = f"printf '<?php $upgrading = %s;' {until} > {_MAINTENANCE}"
    stay = f"printf '<?php $upgrading = time();' > {_MAINTENANCE}"
    done = threading.Event()

    def renew() -> None:
        while not done.wait(_MAINTENANCE_SECONDS / 4):
            for site in of.sites:
                try:
                    execution.output(cluster, site, ["sh", "-c", write])
                except ClusterError:
                    continue  # it holds for some time, and is tried again before that is over

    for site in of.sites:
        execution.output(cluster, site, ["sh", "-c", write])
    renewal = threading.Thread(target=renew, daemon=True)
    renewal.start()
    end = f"rm -f {_MAINTENANCE}"
    try:
        yield
    except BaseException:
        end = end if reopen_after_failure else stay
        raise
    finally:
        done.set()
        renewal.join()
        for site in of.sites:
            execution.output(cluster, site, ["sh", "-c", end])
