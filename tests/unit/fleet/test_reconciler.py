from siteforge.fleet.reconciler import Rules, held


def test_one_tenant_may_always_drift_and_more_than_the_share_may_not() -> None:
    rules = Rules("repair", 0.2)
    assert held(rules, 3, ["a"]) == ""
    assert held(rules, 3, ["a", "b"]).startswith("2 of 3 tenants drifted at once, more than 20%: nothing is done")
    assert held(rules, 20, list("abcd")) == ""
    assert "5 of 20 tenants" in held(rules, 20, list("abcde"))
    assert held(Rules("repair"), 3, list("abc")) == ""


def test_no_share_at_all_still_lets_one_be_repaired() -> None:
    assert held(Rules("repair", 0.0), 100, ["a"]) == ""
    assert held(Rules("repair", 0.0), 100, ["a", "b"])
