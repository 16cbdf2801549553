"""Volumes that outlive their claims: bound again to the claims of the same tenants.

A volume whose class says `reclaimPolicy: Retain` is kept when its claim goes, as with a deleted namespace. It is
Released then: no claim gets it until its `claimRef` lets go of the identity of the old one; what is left of the
`claimRef`, a namespace and a name, reserves it for the claim that is made anew
(kubernetes.io/docs/concepts/storage/persistent-volumes, "Reserving a PersistentVolume").

A name is not enough to tell whose data they are: a customer may have been removed years ago, and another one have
the name now. It is the identity of the claim in Pulumi's state that tells.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siteforge.fleet import archives
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.kinds import BY_NAME, VOLUME
from siteforge.specs.manifest import Manifest

_CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
_LET_GO = {"spec": {"claimRef": {"uid": None, "resourceVersion": None}}}


@dataclass(frozen=True, order=True)
class Claim:
    """A claim that the state remembers."""

    namespace: str
    name: str
    uid: str

    def is_another(self, claim: "Claim") -> bool:
        """Whether it had the name of another claim."""
        return (self.namespace, self.name) == (claim.namespace, claim.name) and self.uid != claim.uid

    def __str__(self) -> str:
        return f"persistentvolumeclaim/{self.name} in {self.namespace}"


def claims(exported: Mapping[str, Any]) -> list[Claim]:
    """The claims in what `pulumi stack export` printed."""
    resources = (exported.get("deployment") or {}).get("resources") or []
    kept = (one.get("outputs") or {} for one in resources if one["type"] == _CLAIM and not one.get("delete"))
    found = (outputs.get("metadata") or {} for outputs in kept)
    return sorted(Claim(one["namespace"], one["name"], one["uid"]) for one in found if one.get("uid"))


def kept(volumes: Iterable[Manifest]) -> dict[Claim, str]:
    """The volumes that outlived their claims, by the claim that each was of.

    Args:
        volumes: all there are.
    """
    return {
        Claim(reference["namespace"], reference["name"], reference["uid"]): one["metadata"]["name"]
        for one in volumes
        if one.get("status", {}).get("phase") == "Released"
        and one["spec"].get("persistentVolumeReclaimPolicy") == "Retain"
        and not one["metadata"].get("deletionTimestamp")
        and (reference := one["spec"].get("claimRef") or {}).get("uid")
    }


def reserve(cluster: Cluster, exported: Mapping[str, Any], namespaces: Collection[str], backups: Path) -> Iterator[str]:
    """Have the volumes that were kept of a state's claims bound again when those are made anew.

    Args:
        cluster: where they are.
        exported: what `pulumi stack export` printed.
        namespaces: whose claims are meant.
        backups: the folder of backups, of which the newest is named where data are lost.

    Returns:
        What was found and done, a line for each claim that is gone, and for each volume of another of its name.

    Raises:
        ClusterError: the cluster can't be asked, or refuses.
    """
    known = [claim for claim in claims(exported) if claim.namespace in namespaces]
    if not known:
        return
    live = {
        (one["metadata"]["namespace"], one["metadata"]["name"])
        for one in cluster.objects(BY_NAME["PersistentVolumeClaim"])
    }
    found = kept(cluster.objects(VOLUME))
    for claim in known:
        gone = (claim.namespace, claim.name) not in live
        others = [volume for one, volume in found.items() if one.is_another(claim)]
        if gone and claim in found:
            cluster.patch(VOLUME, found[claim], _LET_GO)
            yield f"{claim}: gone, its volume {found[claim]} was kept: it is bound again"
        elif gone and not others:
            yield (
                f"{claim}: gone, and its volume with it, which its storage class did not keep: what was on it is LOST"
                f" - once the site is installed anew, {_restore(backups, claim.namespace)}"
            )
        for volume in others:
            yield (
                f"{claim}: the volume {volume} was kept of another claim of this name, maybe another customer's;"
                " it is left as it is - look whose data it has (docs/faults.md)"
            )


def _restore(folder: Path, tenant: str) -> str:
    """The way back to a tenant's data: its newest backup."""
    found, _ = archives.listed(folder, tenant)
    if not found:
        return f"restore it from where you keep backups: there is none of it in {folder}"
    where = f"siteforge restore {tenant} --at {found[0].about.time}"
    return f"`{where}` brings back what it was then, the newest backup"
