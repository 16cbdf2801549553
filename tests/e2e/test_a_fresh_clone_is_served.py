"""What the README shows, as a new user runs it: in a clone of its own, beside a cluster that runs already."""

import json
import re
import signal
import subprocess
import urllib.request

from tests.support.clone import Clone
from tests.support.waiting import eventually

TITLES = {"blog-aku": "Aku", "shop-lumi": "Lumi Ceramics", "club-otava": "Otava Astronomy Club"}


def test_make_up_provisions_the_tenants_and_prints_where_each_site_answers(clone: Clone) -> None:
    printed = clone.shell("make up", deadline=900)
    addresses = dict(re.findall(r"^  (\S+) +(http://\S+)$", printed, re.MULTILINE))
    assert set(addresses) == set(TITLES)
    for tenant, address in addresses.items():
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert TITLES[tenant] in answer.read().decode()


def test_a_second_make_up_changes_nothing_and_git_status_stays_clean(clone: Clone) -> None:
    assert re.search(r"Resources:\n +\d+ unchanged\n", clone.shell("make up"))
    assert clone.git("diff", "--name-only") == ""
    assert clone.git("ls-files", "--others", "--exclude-standard") == ""


def test_plain_pulumi_and_kubectl_work_after_make_env(clone: Clone) -> None:
    printed = clone.shell('eval "$(make -s env)"; pulumi preview; pulumi up --yes; pulumi refresh --yes')
    # Pulumi shows a summary of each preview and each update.
    summaries = re.findall(r"Resources:\n((?: .*\n)+)", printed)
    assert len(summaries) >= 3
    assert all(re.fullmatch(r" +\d+ unchanged\n", summary) for summary in summaries), printed
    pods = json.loads(clone.shell('eval "$(make -s env)"; kubectl get pods -A -o json'))
    assert set(TITLES) <= {pod["metadata"]["namespace"] for pod in pods["items"]}
    passwords = clone.shell('eval "$(make -s env)"; pulumi stack output adminPasswords --show-secrets --json')
    assert set(json.loads(passwords)) == set(TITLES)


def test_port_forward_reaches_a_site(clone: Clone) -> None:
    script = 'eval "$(make -s env)"; exec kubectl port-forward svc/wordpress -n blog-aku 8080:80'
    with subprocess.Popen(
        ["bash", "-euc", script], cwd=clone.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as forward:
        try:

            def page() -> str:
                with urllib.request.urlopen("http://localhost:8080/", timeout=10) as answer:
                    return str(answer.read().decode())

            eventually("port-forward", lambda: "Aku" in page(), seconds=30)
            assert "http://localhost:8080/" in page()
        finally:
            forward.send_signal(signal.SIGTERM)


def test_make_down_and_up_keep_the_sites(clone: Clone) -> None:
    clone.shell("make down")
    assert "stopped" in clone.shell("make status")
    printed = clone.shell("make up")
    assert re.search(r"Resources:\n +\d+ unchanged\n", printed) or "updated" in printed
    assert all(tenant in printed for tenant in TITLES)
