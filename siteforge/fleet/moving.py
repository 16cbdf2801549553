"""A site that moves in from elsewhere, as a dump and a `wp-content` archive; and one that moves out.

Nothing of it is trusted. The archive is judged on this machine (fleet/wp_content.py). The dump is loaded into a
database beside the site's by an account that may do nothing else, and there its tables get the site's prefix and
engine. What comes of it is dumped again, and is a backup from then on: it is put back like any other
(fleet/restore.py).
"""

import contextlib
import re
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from siteforge.blueprint import Blueprint
from siteforge.errors import BackupError, printable
from siteforge.fleet import archives, backup, dumps, execution, places, restore, wp_content
from siteforge.fleet.archives import About, Backup, Writer
from siteforge.fleet.backup import Workings
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.execution import Container
from siteforge.fleet.places import Place
from siteforge.fleet.restore import Restored
from siteforge.specs.wordpress import CONTENT, ROOT

_BESIDE: Final = "siteforge-import"
"""The database beside the site's, and the account that may write there and nowhere else."""

_FORGET = f"DROP DATABASE IF EXISTS `{_BESIDE}`; DROP USER IF EXISTS `{_BESIDE}`@localhost;"
_PREPARE = (
    f"{_FORGET} CREATE DATABASE `{_BESIDE}`; CREATE USER `{_BESIDE}`@localhost IDENTIFIED BY '{{password}}';"
    f" GRANT ALL ON `{_BESIDE}`.* TO `{_BESIDE}`@localhost;"
)

# Its password is the first line, so that no command line has it. A dump is read as SQL: a client's own commands in it,
# which run programs and read files, are none then.
_LOAD = 'IFS= read -r MYSQL_PWD; export MYSQL_PWD; exec "$@"'
_CLIENT = ("mariadb", f"--user={_BESIDE}", "--binary-mode", "--skip-local-infile", "--default-character-set=utf8mb4")

_IN_IT = f"FROM information_schema.{{}} WHERE {{}} = '{_BESIDE}'"
_OTHERS = " UNION ALL ".join(
    f"SELECT CONCAT('{kind} ', {name}) {_IN_IT.format(table, schema)}"
    for kind, name, table, schema in (
        ("view", "TABLE_NAME", "VIEWS", "TABLE_SCHEMA"),
        ("trigger", "TRIGGER_NAME", "TRIGGERS", "TRIGGER_SCHEMA"),
        ("routine", "ROUTINE_NAME", "ROUTINES", "ROUTINE_SCHEMA"),
        ("event", "EVENT_NAME", "EVENTS", "EVENT_SCHEMA"),
    )
)
_TABLES = f"SELECT TABLE_NAME, ENGINE {_IN_IT.format('TABLES', 'TABLE_SCHEMA')}"
_NAME = re.compile(r"[A-Za-z0-9_$-]{1,64}")
_CORE = ("options", "posts", "usermeta", "users")

_ROOM = "df --block-size=1 --output=avail {} | tail -n 1"
_VERSIONS = f"include '{ROOT}/wp-includes/version.php'; echo $wp_version, ' ', $wp_db_version;"
_PREFIX = 'printf %s "${WORDPRESS_TABLE_PREFIX:-wp_}"'


def move_in(
    cluster: Cluster,
    tenant: Blueprint,
    folder: Place,
    dump: Path,
    files: Path,
    *,
    keep_addresses: bool = False,
    safety: bool = True,
    seconds: float,
    progress: Callable[[str], None] = lambda _: None,
) -> Restored:
    """Put a site that comes from elsewhere in the place of a tenant's.

    Args:
        cluster, tenant: where, and whose.
        folder: where a backup of what is there now is written.
        dump, files: the site: its database as SQL, and an archive of its folder `wp-content`.
        keep_addresses: whether its addresses stay as they are, or become those of the tenant.
        safety: whether to take that backup.
        seconds: the deadline of readiness.
        progress: is told what is being done.

    Raises:
        BackupError: dump or archive can't be used, or the tenant can't take them. Nothing was changed.
        ClusterError: something failed; says how far it came.
    """
    progress(f"checking {dump} and {files}")
    size, content = dumps.check(dump), wp_content.check(files)
    of = backup.workings(cluster, tenant)
    # The dump is there beside the site's own tables, whose indexes make them larger than their text.
    _check_room(cluster, of.database, "/var/lib/mysql", 2 * size)
    _check_room(cluster, of.site, CONTENT, content)
    with tempfile.TemporaryDirectory(prefix="siteforge-") as temporary, Writer(Path(temporary), tenant.name) as writer:
        with _beside(cluster, of, dump, progress):
            addresses = _as_ours(cluster, of, dump)
            writer.add(archives.DATABASE, backup.dump(cluster, of, tenant.name, _BESIDE))
        writer.add(archives.FILES, wp_content.tar(files))
        assert tenant.database is not None
        about = About(
            tenant=tenant.name,
            time=archives.now(),
            wordpress_image=tenant.site.image,
            wordpress_version=execution.output(cluster, of.site, ["php", "-r", _VERSIONS]).partition(" ")[0],
            database_image=tenant.database.image,
            url=addresses[0],
            maintenance=False,
        )
        hosts = {} if keep_addresses else dict.fromkeys(map(place, addresses), restore.address(tenant))
        whole = writer.finish(about)
        return restore.put(cluster, tenant, folder, whole, hosts, safety=safety, seconds=seconds, progress=progress)


def place(url: str) -> str:
    """An address without its scheme: host, and port and path where it has some.

    Raises:
        BackupError: it is none.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # "http://["
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BackupError(
            f"the dump's address of the site is {printable(url)!r}; nothing was changed - mend its options"
        )
    return f"{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}".lower()


def _check_room(cluster: Cluster, container: Container, folder: str, wanted: int) -> None:
    free = int(execution.output(cluster, container, ["sh", "-c", _ROOM.format(folder)]))
    if free < wanted:
        raise BackupError(
            f"{container}: {folder} has {free / 2**20:.0f}Mi free, and {wanted / 2**20:.0f}Mi are needed; nothing was"
            " changed - give the tenant a larger volume"
        )


@contextlib.contextmanager
def _beside(cluster: Cluster, of: Workings, dump: Path, progress: Callable[[str], None]) -> Iterator[None]:
    """The dump in a database of its own, for as long as the block runs."""
    password = secrets.token_urlsafe(24)
    _root(cluster, of, _PREPARE.format(password=password))
    try:
        progress("loading the dump beside the site's database")

        def read() -> Iterator[bytes]:
            yield f"{password}\n".encode()
            yield from dumps.read(dump)

        command = ["sh", "-c", _LOAD, "sh", *_CLIENT, _BESIDE]
        execution.output(cluster, of.database, command, read())
        yield
    except execution.CommandError as error:
        raise BackupError(f"{dump}: the database refuses it; nothing was changed - docs/moving.md\n{error}") from None
    finally:
        _root(cluster, of, _FORGET)


def _root(cluster: Cluster, of: Workings, statements: str) -> None:
    """Have statements done that may hold a password."""
    for _ in backup.client(cluster, of, ("mariadb", "--user=root"), iter([statements.encode()])):
        pass


def _as_ours(cluster: Cluster, of: Workings, dump: Path) -> list[str]:
    """Give the tables the prefix and the engine of the tenant's. Returns the addresses `home` and `siteurl`.

    Raises:
        BackupError: it isn't one WordPress and nothing else, or one that is newer than the tenant's.
    """

    def sql(statement: str) -> list[str]:
        return backup.sql(cluster, of, statement).splitlines()

    def refused(reason: str, fix: str) -> BackupError:
        return BackupError(f"{dump}: {printable(reason)}; nothing was changed - {fix}")

    if others := sql(_OTHERS):
        raise refused(
            f"it holds what runs by itself or looks like tables: {', '.join(others[:5])}",
            "leave it out of the dump, and make it anew after the import",
        )
    engines = dict(line.split("\t") for line in sql(_TABLES))
    if odd := [name for name in engines if not _NAME.fullmatch(name)]:
        raise refused(f"a table is called {odd[0]!r}", "leave it out of the dump")
    theirs = prefixes(engines)
    if len(theirs) != 1:
        reason = f"it holds {len(theirs)} WordPresses ({', '.join(theirs)})" if theirs else "it holds no WordPress"
        raise refused(reason, "dump the tables of one, which are all that begin with its prefix")
    old, new = theirs[0], execution.output(cluster, of.site, ["sh", "-c", _PREFIX])
    if f"{old}blogs" in engines:
        raise refused("it is a network of sites (multisite)", "export the site that is meant to a WordPress of its own")
    renamed = {name: f"{new}{name.removeprefix(old)}" for name in engines if name.startswith(old)}
    if old != new and (taken := [name for name in renamed.values() if name in engines]):
        raise refused(f"its prefix {old} becomes {new}, and it has a table {taken[0]}", "leave that out of the dump")
    for statement in statements(engines, old, new):
        sql(statement)
    options = f"FROM `{_BESIDE}`.`{new}options` WHERE option_name"
    version = "".join(sql(f"SELECT option_value {options} = 'db_version' LIMIT 1"))
    image, known = execution.output(cluster, of.site, ["php", "-r", _VERSIONS]).split(" ")
    if not version.isdecimal() or int(version) > int(known):
        reason = f"it is of a newer WordPress (database {version or 'unknown'}) than {image} ({known})"
        raise refused(reason, "raise wordpress.image")
    urls = sql(f"SELECT option_value {options} IN ('home', 'siteurl') ORDER BY option_name")
    if not urls:
        raise refused("it doesn't say the site's address", "dump all rows of its options")
    return urls


def prefixes(tables: Iterable[str]) -> list[str]:
    """With what the tables of each WordPress begin, among the names of all tables."""
    found = set(tables)
    starts = (name.removesuffix("options") for name in found if name.endswith("options"))
    return sorted(start for start in starts if start and all(f"{start}{table}" in found for table in _CORE))


def statements(engines: dict[str, str], old: str, new: str) -> Iterator[str]:
    """The SQL that makes tables ours.

    Args:
        engines: the engine of each table.
        old, new: prefixes. Values have them in their names, too (wp_user_roles, wp_capabilities).
    """
    for name, engine in engines.items():
        if engine != "InnoDB":
            # A backup reads all tables as of one moment, which only this engine can.
            yield f"ALTER TABLE `{_BESIDE}`.`{name}` ENGINE = InnoDB"
    if old == new:
        return
    for name in engines:
        if name.startswith(old):
            yield f"RENAME TABLE `{_BESIDE}`.`{name}` TO `{_BESIDE}`.`{new}{name.removeprefix(old)}`"
    length = len(old)
    yield (
        f"UPDATE `{_BESIDE}`.`{new}options` SET option_name = '{new}user_roles'"  # noqa: S608 - names that were checked
        f" WHERE option_name = '{old}user_roles'"
    )
    yield (
        f"UPDATE `{_BESIDE}`.`{new}usermeta` SET meta_key = CONCAT('{new}', SUBSTRING(meta_key, {length + 1}))"  # noqa: S608
        f" WHERE LEFT(meta_key, {length}) = BINARY '{old}'"
    )


def move_out(
    cluster: Cluster,
    tenant: Blueprint,
    file: Path,
    *,
    maintenance: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Backup:
    """Write a tenant's site into one file, which is a backup by its form.

    Args:
        cluster, tenant: where, and whose.
        file: which may not be there yet.
        maintenance: whether visitors are kept out meanwhile.
        progress: is told what is being done.

    Raises:
        BackupError, ClusterError: as `backup.take`.
    """
    if not file.parent.is_dir():
        raise BackupError(f"{file.parent}: there is no such folder - make it")
    if file.exists():
        raise BackupError(f"{file}: it is there already - name another file")
    # On the same file system: it gets its name at last, and at once.
    with tempfile.TemporaryDirectory(prefix=".siteforge-", dir=file.parent) as temporary:
        taken = backup.take(cluster, tenant, Path(temporary), maintenance=maintenance, progress=progress)
        assert isinstance(taken.path, Path)
        try:
            places.give(taken.path, file)
        except OSError as error:
            raise BackupError(f"{file}: can't be written ({error.strerror}) - name another file") from None
    return Backup(file, taken.about, taken.parts)
