from dataclasses import replace

from siteforge.fleet import history
from siteforge.fleet.differences import Actor, Difference
from siteforge.fleet.history import Entry, begun, bounded, observed

DELETED = Difference("Deployment", "wordpress", "deleted")
LABELLED = Difference(
    "Service", "wordpress", "added", "metadata.labels.team", None, "x", Actor("kubectl", "Update", "", "")
)


def test_what_is_found_again_and_again_is_one_entry() -> None:
    once = observed([], {"blog": [DELETED]}, "t1")
    assert once == [Entry("blog", DELETED, "t1")]
    assert observed(once, {"blog": [DELETED]}, "t2") == once


def test_what_a_run_undid_is_repaired_and_what_went_otherwise_is_gone() -> None:
    found = observed([], {"blog": [DELETED], "shop": [DELETED]}, "t1")
    ended = observed(begun(found, ["blog"]), {}, "t2")
    assert [(one.tenant, one.state, one.ended) for one in ended] == [("blog", "repaired", "t2"), ("shop", "gone", "t2")]
    again = observed(ended, {"blog": [DELETED]}, "t3")
    assert [one.state for one in again] == ["repaired", "gone", "there"], "a second time is another entry"


def test_a_repair_that_did_not_succeed_is_still_open() -> None:
    found = begun(observed([], {"blog": [DELETED]}, "t1"), ["blog"])
    assert [(one.state, one.ended) for one in observed(found, {"blog": [DELETED]}, "t2")] == [("repairing", "")]


def test_what_others_added_is_never_under_repair() -> None:
    found = observed([], {"blog": [LABELLED]}, "t1")
    assert begun(found, ["blog"]) == found


def test_of_whom_nothing_is_known_nothing_ends() -> None:
    found = observed([], {"blog": [DELETED], "shop": [DELETED]}, "t1")
    assert [one.ended for one in observed(found, {}, "t2", looked_at={"shop"})] == ["", "t2"]


def test_long_values_are_cut() -> None:
    (entry,) = observed(
        [], {"blog": [Difference("ConfigMap", "c", "changed", "data.a", "x" * 999, {"y": "z" * 999})]}, "t"
    )
    assert (len(entry.difference.wanted), len(entry.difference.found)) == (60, 60)


def test_of_too_many_the_oldest_ended_ones_go_first() -> None:
    there = [Entry(f"there-{number}", DELETED, "t0") for number in range(10)]
    ended = [Entry(f"e-{number}", DELETED, "t0", "gone", f"t{number:04}") for number in range(history.MOST)]
    kept = bounded([*there, *ended])
    assert len(kept) == history.MOST
    assert kept[:10] == there
    assert kept[10] == ended[10]
    long = [replace(one, difference=Difference("Secret", "s" * 2000, "deleted")) for one in ended]
    assert sum(len(str(one)) for one in bounded(long)) < history.MOST_BYTES
    assert bounded(long)[-1] == long[-1]
