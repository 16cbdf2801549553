import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from local import workspace
from siteforge.errors import BackupError
from siteforge.fleet import moving
from siteforge.fleet.project import Project
from tests.e2e.conftest import BLOG
from tests.e2e.test_a_backup_brings_a_site_back import FILES, TEXTS, answers, state
from tests.e2e.test_a_backup_is_one_moment import inside, listed, sql
from tests.e2e.test_a_site_is_cloned_with_its_addresses import LOOKALIKE, option, values
from tests.support.commands import kubectl
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

OLD, NEW = "https://old.example.com:8443/blog", f"http://wordpress.{BLOG}.svc.cluster.local"
KEPT = "https://kept.example.com"
PREFIX = "x7_"
BESIDE = "siteforge-import"


def export(stack: Stack, folder: Path) -> tuple[Path, Path]:
    """What `siteforge export` writes, unzipped: the dump and the files."""
    stack.siteforge("export", BLOG, str(folder / "site.zip"))
    with zipfile.ZipFile(folder / "site.zip") as archive:
        archive.extractall(folder)
    return folder / "database.sql", folder / "wp-content.tar"


def moved(stack: Stack, folder: Path, dump: Path, files: Path, *arguments: str, code: int = 0) -> str:
    """What `siteforge import` says."""
    given = ["--dump", str(dump), "--files", str(files), "--to", str(folder / "backups"), *arguments]
    done = stack.siteforge("import", BLOG, *given, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def nothing_is_left() -> bool:
    client = f"SELECT COUNT(*) FROM mysql.global_priv WHERE User = '{BESIDE}'"
    databases = kubectl(
        *("exec", "-n", BLOG, "mariadb-0", "--", "sh", "-c"),
        f'MYSQL_PWD="$(cat /opt/siteforge/secrets/root-password)" exec mariadb --user=root --skip-column-names'
        f' --execute="{client}; SHOW DATABASES"',
    )
    return databases.split()[0] == "0" and BESIDE not in databases


def test_an_exported_site_is_imported_into_an_emptied_tenant(blog: Stack, site: Site, tmp_path: Path) -> None:
    for text in TEXTS:
        site.post(text)
    paths = {site.upload(name, content): content for name, content in FILES.items()}
    sql("INSERT IGNORE INTO wp_users (user_login, user_nicename, user_email) VALUES ('mei', 'mei', 'mei@example.com')")
    sql(f"UPDATE wp_options SET option_value = '{KEPT}' WHERE option_name = 'home'")
    before = state(site)
    dump, files = export(blog, tmp_path)
    again = blog.siteforge("export", BLOG, str(tmp_path / "site.zip"), check=False)
    assert (again.returncode, again.stdout) == (1, "")
    assert "it is there already" in again.stderr

    sql("DROP DATABASE wordpress; CREATE DATABASE wordpress")
    inside("find wp-content -mindepth 1 -delete")
    eventually("the site to be gone", lambda: not answers(site), namespace=BLOG)
    # What an import left that was killed is in nobody's way.
    sql(f"CREATE DATABASE `{BESIDE}`; CREATE TABLE `{BESIDE}`.wp_posts (a INT); CREATE USER `{BESIDE}`@localhost")

    said = moved(blog, tmp_path, dump, files, "--keep-addresses")
    assert option(BLOG, "home") == KEPT
    sql(f"UPDATE wp_options SET option_value = '{NEW}' WHERE option_name = 'home'")
    assert f"{BLOG} is what {KEPT} was; what was there before: `siteforge restore {BLOG} --at " in said
    assert state(site) == before
    for path, content in paths.items():
        assert site.get(path).body == content.decode(errors="replace")
    assert len(listed(blog, tmp_path / "backups")) == 1
    assert nothing_is_left()
    blog.siteforge("status", BLOG)
    blog.siteforge("drift", "--tenant", BLOG)


def test_a_site_from_elsewhere_gets_its_prefix_and_addresses(blog: Stack, site: Site, tmp_path: Path) -> None:
    site.post("Written elsewhere")
    for name, value in (values(OLD) | {"lookalike": LOOKALIKE, "home": OLD}).items():
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        sql(f"REPLACE INTO wp_options (option_name, option_value) VALUES ('moved_{name}', '{quoted}')")
    dump, files = export(blog, tmp_path)
    site.post("Not in the dump")

    text = dump.read_bytes().replace(b"`wp_", f"`{PREFIX}".encode())
    for key in (b"user_roles", b"capabilities", b"user_level"):
        assert b"'wp_" + key in text
        text = text.replace(b"'wp_" + key, f"'{PREFIX}".encode() + key)
    more = f"CREATE TABLE `{PREFIX}old` (a INT) ENGINE=MyISAM;\nUPDATE `{PREFIX}options` SET option_value = '{OLD}'"
    end = f"{more} WHERE option_name IN ('home', 'siteurl');\n-- Dump completed".encode()
    packed = tmp_path / "old.sql.gz"
    packed.write_bytes(gzip.compress(text.replace(b"-- Dump completed", end)))

    said = moved(blog, tmp_path, packed, files)
    assert f"{BLOG} is what {OLD} was" in said
    posts = site.posts()
    assert "Written elsewhere" in posts
    assert "Not in the dump" not in posts
    for name, value in values(NEW).items():
        assert option(BLOG, f"moved_{name}") == value, name
    assert option(BLOG, "moved_lookalike") == LOOKALIKE
    assert OLD not in site.get().body
    # The administrator has his rights still, which hang on the prefix, too.
    site.post("Written here")
    # Its tables are such as a backup can read while visitors come.
    blog.siteforge("backup", BLOG, "--to", str(tmp_path / "more"))


def test_a_hostile_or_broken_site_is_refused_before_anything_is_touched(
    blog: Stack, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = site.post("Still here")
    dump, files = export(blog, tmp_path)
    whole = dump.read_bytes()

    cases = {
        "\\! touch /tmp/by-a-dump": "the database refuses it",
        "DROP TABLE wordpress.wp_posts;": "denied",
        "GRANT ALL ON *.* TO wordpress;": "Access denied",
        "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE wp_posts;": "the database refuses it",
        "CREATE VIEW v AS SELECT 1; CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SET @a = 1;": "view v, event e",
        "CREATE TABLE wp_blogs (a INT);": "it is a network of sites",
        "DROP TABLE wp_usermeta;": "it holds no WordPress",
        "UPDATE wp_options SET option_value = 999999 WHERE option_name = 'db_version';": "newer WordPress",
        "DELETE FROM wp_options WHERE option_name IN ('home', 'siteurl');": "it doesn't say the site's address",
        "CREATE TABLE `a\\! b` (a INT);": "a table is called",
    }
    for name, value in (workspace.environment({}) | blog.environment).items():
        monkeypatch.setenv(name, value)
    project = Project.find(start=blog.folder)
    (tenant,) = map(project.configuration.blueprint, project.tenants)
    with project.cluster() as cluster:
        for statement, reason in cases.items():
            dump.write_bytes(whole.replace(b"-- Dump completed", f"{statement}\n-- Dump completed".encode()))
            with pytest.raises(BackupError, match="nothing was changed") as refused:
                moving.move_in(cluster, tenant, tmp_path / "backups", dump, files, seconds=60)
            assert reason in str(refused.value), statement
    dump.write_bytes(whole[: len(whole) // 2])
    assert "it was cut short" in moved(blog, tmp_path, dump, files, code=1)
    dump.write_bytes(whole)
    with tarfile.open(files, "w") as archive:
        archive.addfile(tarfile.TarInfo("wp-content/../wp-config.php"), io.BytesIO())
    assert "is not inside wp-content" in moved(blog, tmp_path, dump, files, code=1)

    assert site.get(f"/?p={number}").status in (200, 301)
    assert nothing_is_left()
    assert kubectl("exec", "-n", BLOG, "mariadb-0", "--", "ls", "/tmp").count("by-a-dump") == 0
    assert listed(blog, tmp_path / "backups") == []
