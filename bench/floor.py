"""The floor's client: `python -m bench.floor apply|list|delete FOLDER [TENANT...]`, on the cluster of KUBECONFIG."""

import json
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

from bench import fleet, kube, readiness
from bench.kube import Api
from siteforge import names
from siteforge.specs.manifest import Manifest

_AT_ONCE = 16
_SECONDS = 3600.0


def apply(api: Api, tenants: Iterable[list[Manifest]]) -> None:
    """Apply each tenant's objects one after another, many tenants at once, and wait until all are ready."""
    declared = list(tenants)

    def one(manifests: list[Manifest]) -> None:
        for manifest in manifests:
            api.apply(manifest)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(one, declared):
            pass
    wanted = set().union(*(readiness.parts(manifests) for manifests in declared))
    readiness.wait(api, wanted, _SECONDS)


def read(api: Api, manifests: Iterable[Manifest]) -> int:
    """LIST each kind among these objects over all namespaces, page by page; returns how many objects came."""
    targets = sorted({kube.collection(manifest["apiVersion"], manifest["kind"]) for manifest in manifests})
    with ThreadPoolExecutor(len(targets)) as pool:
        return sum(
            pool.map(lambda target: sum(len(p["items"]) for p in api.pages(target, readiness.SELECTOR)), targets)
        )


def delete(api: Api, tenants: Iterable[str]) -> None:
    """Delete the tenants' workloads, then their Namespaces, and wait until they are gone.

    A Namespace with pods left in it is looked at again only after half of their grace period.
    """
    for tenant in tenants:
        workloads = {"Deployment": names.WORDPRESS, "StatefulSet": names.DATABASE}
        with ThreadPoolExecutor(len(workloads)) as pool:
            places = [kube.collection("apps/v1", kind, tenant) for kind in workloads]
            list(pool.map(_delete, repeat(api), places, workloads.values(), repeat(tenant)))
        _delete(api, kube.collection("v1", "Namespace"), tenant, tenant)


def _delete(api: Api, place: str, name: str, tenant: str) -> None:
    answer = json.loads(api.request("DELETE", f"{place}/{name}?propagationPolicy=Foreground"))
    version, selector = answer["metadata"]["resourceVersion"], f"app.kubernetes.io/instance={tenant}"
    while not any(event["type"] == "DELETED" for event in api.watch(place, selector, version, _SECONDS)):
        pass


def main(work: str, folder: Path, tenants: list[str]) -> None:
    """Do one piece of work."""
    api = Api(Path(os.environ["KUBECONFIG"]))
    if work == "delete":
        delete(api, tenants)
        return
    files = [folder / f"{tenant}.json" for tenant in tenants] or sorted(folder.iterdir())
    if work == "apply":
        apply(api, map(fleet.read, files))
    else:
        read(api, fleet.read(files[0]))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
