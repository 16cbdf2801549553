from typing import Any

from siteforge.fleet.volumes import Claim, claims, kept

OLD = Claim("blog", "mariadb", "uid-1")


def volume(policy: str = "Retain", uid: str = OLD.uid, **metadata: str) -> dict[str, Any]:
    reference = {"namespace": OLD.namespace, "name": OLD.name, "uid": uid}
    return {
        "metadata": {"name": "pvc-1", **metadata},
        "spec": {"persistentVolumeReclaimPolicy": policy, "claimRef": reference},
        "status": {"phase": "Released"},
    }


def resource(kind: str = "core/v1:PersistentVolumeClaim", **fields: Any) -> dict[str, Any]:
    metadata = {"namespace": OLD.namespace, "name": OLD.name, "uid": OLD.uid}
    return {"type": f"kubernetes:{kind}", "outputs": {"metadata": metadata}} | fields


def test_the_state_tells_which_claims_there_were() -> None:
    never_made, replaced = resource(outputs={}), resource(delete=True)
    resources = [resource(), resource("core/v1:Secret"), never_made, replaced]
    assert claims({"deployment": {"resources": resources}}) == [OLD]
    assert claims({"deployment": None}) == []


def test_a_volume_is_the_one_of_a_claim_by_its_identity_not_by_its_name() -> None:
    (former,) = found = kept([volume(uid="uid-of-a-former-customer")])
    assert OLD not in found
    assert former.is_another(OLD)
    assert kept([volume()]) == {OLD: "pvc-1"}
    assert not OLD.is_another(OLD)


def test_a_volume_that_is_deleted_with_its_claim_or_still_has_it_is_not_kept() -> None:
    bound = volume() | {"status": {"phase": "Bound"}}
    assert kept([volume("Delete"), volume(deletionTimestamp="2026-11-29T00:00:00Z"), bound]) == {}


def test_a_volume_that_never_had_a_claim_is_nobodys() -> None:
    free = volume()
    del free["spec"]["claimRef"]
    assert kept([free]) == {}
