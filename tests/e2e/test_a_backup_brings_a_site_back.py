import json
import signal
import subprocess
import xmlrpc.client
from pathlib import Path
from typing import Any

from local import workspace
from siteforge.fleet import archives
from tests.e2e.conftest import BLOG
from tests.e2e.test_a_backup_is_one_moment import inside, listed, sql
from tests.support.backups import file
from tests.support.commands import kubectl
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

FILES = {"plain.txt": b"plain", "every byte.txt": bytes(range(256))}
TEXTS = ['It\'s "quoted"; DROP TABLE wp_posts; --', "Käse, 日本語, 🙂"]


def take(stack: Stack, folder: Path) -> str:
    made = json.loads(stack.siteforge("backup", BLOG, "--to", str(folder), "--output", "json").stdout)
    return str(made["time"])


def restore(stack: Stack, folder: Path, at: str, *arguments: str) -> dict[str, Any]:
    done = stack.siteforge("restore", BLOG, "--at", at, "--from", str(folder), "--output", "json", *arguments)
    assert "sfg_" not in done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def state(site: Site) -> tuple[set[str], set[str], dict[str, str]]:
    """All posts, users and files of a site, the latter with their sums."""
    sums = inside("cd wp-content && find . -type f -not -path './cache/*' -exec sha256sum {} +")
    return (
        site.posts(),
        {*site.users()},
        {name: digest for digest, name in (line.split(None, 1) for line in sums.splitlines())},
    )


def test_a_site_comes_back_into_an_emptied_tenant(blog: Stack, site: Site, tmp_path: Path) -> None:
    for text in TEXTS:
        site.post(text)
    paths = {site.upload(name, content): content for name, content in FILES.items()}
    server = xmlrpc.client.ServerProxy(f"http://{site.address}/xmlrpc.php")
    assert server.wp.getUsers(0, "admin", site.password)
    sql("INSERT IGNORE INTO wp_users (user_login, user_nicename, user_email) VALUES ('mei', 'mei', 'mei@example.com')")
    inside("mkdir -p wp-content/plugins/own/.hidden && echo own > wp-content/plugins/own/.hidden/file")
    before = state(site)
    assert "mei" in before[1]
    at = take(blog, tmp_path)

    # Emptied: nothing of the site's own is left, neither in the database nor on the volume.
    sql("DROP DATABASE wordpress; CREATE DATABASE wordpress")
    inside("find wp-content -mindepth 1 -delete")
    eventually("the site to be gone", lambda: not answers(site), namespace=BLOG)

    report = restore(blog, tmp_path, at)
    assert report["restored"]["time"] == at
    assert state(site) == before
    for path, content in paths.items():
        assert site.get(path).body == content.decode(errors="replace")
    assert blog.siteforge("status", BLOG).returncode == 0
    blog.siteforge("drift", "--tenant", BLOG)
    # What was there before, which was next to nothing, is a backup as well.
    assert report["before"]["time"] in [one["time"] for one in listed(blog, tmp_path)]
    assert inside("ls -a wp-content").count(".siteforge") == 0


def answers(site: Site) -> bool:
    try:
        return site.get(timeout=3).status == 200
    except OSError:
        return False


def test_what_was_there_before_a_restore_can_be_had_back(blog: Stack, site: Site, tmp_path: Path) -> None:
    at = take(blog, tmp_path)
    site.post("Written after the backup")
    path = site.upload("after.txt", b"after")
    report = restore(blog, tmp_path, at)
    assert "Written after the backup" not in site.posts()
    assert site.get(path).status == 404
    restore(blog, tmp_path, report["before"]["time"], "--no-safety-backup")
    assert "Written after the backup" in site.posts()
    assert site.get(path).body == "after"


def test_a_damaged_or_cut_backup_changes_nothing(blog: Stack, site: Site, tmp_path: Path) -> None:
    at = take(blog, tmp_path)
    number = site.post("Still here")
    path = file(archives.find(tmp_path, BLOG, at))
    whole = path.read_bytes()
    spot = len(whole) // 2
    path.write_bytes(whole[:spot] + bytes([whole[spot] ^ 1]) + whole[spot + 1 :])
    done = blog.siteforge("restore", BLOG, "--at", at, "--from", str(tmp_path), check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "use another backup" in done.stderr
    path.write_bytes(whole[:-1])
    done = blog.siteforge("restore", BLOG, "--at", "latest", "--from", str(tmp_path), check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no complete backup" in done.stderr
    assert site.get(f"/?p={number}").status in (200, 301)
    assert len(listed(blog, tmp_path)) == 0


def test_a_restore_that_is_killed_is_done_again(blog: Stack, site: Site, tmp_path: Path) -> None:
    site.post("Before the kill")
    at = take(blog, tmp_path)
    site.post("Never mind")
    command = ["siteforge", "restore", BLOG, "--at", at, "--from", str(tmp_path)]
    environment = workspace.environment({}) | blog.environment
    with subprocess.Popen(command, cwd=blog.folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = iter(process.stderr)
        assert any(line == "unpacking files ...\n" for line in told)
        assert any(line == "database ...\n" for line in told)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    restore(blog, tmp_path, at, "--no-safety-backup")
    posts = site.posts()
    assert "Before the kill" in posts
    assert "Never mind" not in posts
    assert inside("ls -a wp-content").count(".siteforge") == 0
    pods = kubectl("get", "pods", "-n", BLOG, "-l", "app.kubernetes.io/part-of=siteforge", "-o", "name").split()
    assert len(pods) == 2
