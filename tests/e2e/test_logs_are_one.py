import json
import signal
import subprocess
import threading
import time
from datetime import datetime
from queue import Empty, Queue

from local import workspace
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

NAMESPACE = "e2e-blog"
_DEADLINE_SECONDS = 60


def test_logs_of_all_pods_are_merged(blog_stack: Stack, site: Site) -> None:
    site.get("/?before")
    lines = blog_stack.siteforge("logs", NAMESPACE, "--since", "1h").stdout.splitlines()
    prefixes = [line.partition(" ")[0] for line in lines]
    assert "mariadb-0" in prefixes
    installing = next(number for number, prefix in enumerate(prefixes) if prefix.endswith("/install"))
    # A pod says what it installs, or that it has to install nothing, before it is asked for anything.
    asked = next(number for number, line in enumerate(lines) if '"GET /?before HTTP/1.1"' in line)
    assert installing < asked
    few = blog_stack.siteforge("logs", NAMESPACE, "--component", "mariadb", "--tail", "2").stdout.splitlines()
    assert [line.partition(" ")[0] for line in few] == ["mariadb-0", "mariadb-0"]
    told = blog_stack.siteforge("logs", NAMESPACE, "--since", "1h", "--output", "json").stdout.splitlines()
    (row,) = (row for row in map(json.loads, told) if '"GET /?before HTTP/1.1"' in row["text"])
    assert row["container"] == "wordpress" and row["pod"].startswith("wordpress-")
    assert abs(datetime.fromisoformat(row["time"][:19] + "+00:00").timestamp() - time.time()) < 3600


def test_logs_can_be_followed_until_ctrl_c(blog_stack: Stack, site: Site) -> None:
    command = ["siteforge", "logs", NAMESPACE, "--follow", "--component", "wordpress", "--tail", "0"]
    environment = workspace.environment({}) | blog_stack.environment
    with subprocess.Popen(
        command, cwd=blog_stack.folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines: Queue[str] = Queue()
        output = process.stdout
        reader = threading.Thread(target=lambda: [*map(lines.put, output)])
        reader.start()

        def followed() -> bool:
            site.get("/?followed")
            try:
                return "?followed" in lines.get(timeout=1)
            except Empty:
                return False

        try:
            eventually("a followed line", followed, seconds=_DEADLINE_SECONDS, namespace=NAMESPACE)
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(_DEADLINE_SECONDS) == 0
            reader.join()
