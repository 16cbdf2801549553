"""Waiting until every tenant's site answers, and saying where."""

import http.client
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from local import workspace
from local.paths import PROJECT
from local.steps import Failure, say, step

_DEADLINE_SECONDS = 120.0
_POLL_SECONDS = 0.5

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""No proxy has a way to the cluster's addresses."""


@dataclass(frozen=True)
class Site:
    """A tenant's site as this machine reaches it."""

    tenant: str
    address: str
    """`http://` and the Service's cluster address, which the local platform routes to."""
    reach: str
    """The command that works from anywhere."""


def wait() -> list[Site]:
    """Wait until each tenant's front page answers 200 through its Service.

    Raises:
        Failure: one does not in time; the message has its pods and events.
    """
    sites = _sites()
    deadline = time.monotonic() + _DEADLINE_SECONDS
    with step(f"Sites of {len(sites)} tenants"):
        for site in sites:
            answer = _status(site.address)
            while answer != "200":
                if time.monotonic() > deadline:
                    raise Failure(
                        f"{site.tenant} does not answer on {site.address} ({answer})\n{_describe(site.tenant)}",
                        fix=f'look at `kubectl get pods -n {site.tenant}` after `eval "$(make -s env)"`',
                    )
                time.sleep(_POLL_SECONDS)
                answer = _status(site.address)
    return sites


def show(sites: list[Site]) -> None:
    """Print where the sites are."""
    width = max(len(site.tenant) for site in sites)
    say("")
    for site in sites:
        say(f"  {site.tenant:<{width}}  {site.address}")
    say("\nFrom this machine the addresses above answer; for a browser elsewhere:")
    say(f'  eval "$(make -s env)"\n  {sites[0].reach}')
    say("Passwords of `admin`: pulumi stack output adminPasswords --show-secrets")


def _sites() -> list[Site]:
    tenants = json.loads(_output(["pulumi", "stack", "output", "tenants", "--json", "--stack", workspace.STACK]))
    jsonpath = "jsonpath={.spec.clusterIP}"
    return [
        Site(
            tenant=name,
            address="http://"
            + _output(["kubectl", "get", "service", tenant["service"], "-n", tenant["namespace"], "-o", jsonpath]),
            reach=tenant["reach"],
        )
        for name, tenant in tenants.items()
        # Of a frozen tenant that was never deployed, nothing is told.
        if "service" in tenant
    ]


def _status(address: str) -> str:
    try:
        with _DIRECT.open(f"{address}/", timeout=10) as answer:
            return str(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return str(error.code)
    except (OSError, http.client.HTTPException) as error:
        return str(getattr(error, "reason", error))


def _describe(namespace: str) -> str:
    pods = _output(["kubectl", "get", "pods", "-n", namespace, "-o", "wide"], check=False)
    events = _output(["kubectl", "get", "events", "-n", namespace, "--sort-by=.lastTimestamp"], check=False)
    return pods + "\n".join(events.splitlines()[-10:])


def _output(command: list[str], check: bool = True) -> str:
    environment = workspace.environment(os.environ)
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise Failure(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}")
    return done.stdout
