"""What needs no cluster; the looks themselves are tested on one (tests/e2e/test_status_tells_what_is_wrong.py)."""

from siteforge.fleet.survey import used


def test_bytes_on_volumes_are_those_that_kubelets_tell_of_claims() -> None:
    claim = {"name": "wordpress", "namespace": "blog"}
    pod = {
        "volume": [
            {"name": "content", "usedBytes": 5, "capacityBytes": 10, "pvcRef": claim},
            {"name": "tmp", "usedBytes": 7},
            {"name": "data", "pvcRef": {"name": "mariadb", "namespace": "blog"}},
        ]
    }
    assert used([{"pods": [pod, {}]}, {}]) == {("blog", "wordpress"): 5}
