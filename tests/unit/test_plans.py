import itertools

from siteforge.plans import DEFAULT_PLAN, LARGEST, PLANS
from siteforge.quantities import canonical, parse

AMOUNTS = ("cpu_request", "memory_request", "cpu_limit", "memory_limit")


def test_sizes_are_in_canonical_form() -> None:
    for plan in PLANS.values():
        for size in (plan.wordpress, plan.database):
            for amount in AMOUNTS:
                assert getattr(size, amount) == canonical(getattr(size, amount))
        assert plan.wordpress_volume == canonical(plan.wordpress_volume)
        assert plan.database_volume == canonical(plan.database_volume)


def test_no_plan_requests_more_than_its_limits() -> None:
    for plan in PLANS.values():
        for size in (plan.wordpress, plan.database):
            assert parse(size.cpu_request) <= parse(size.cpu_limit)
            assert parse(size.memory_request) <= parse(size.memory_limit)


def test_plans_grow_and_the_last_is_the_largest() -> None:
    plans = list(PLANS.values())
    for smaller, larger in itertools.pairwise(plans):
        for part in ("wordpress", "database"):
            for amount in AMOUNTS:
                assert parse(getattr(getattr(smaller, part), amount)) <= parse(getattr(getattr(larger, part), amount))
        assert parse(smaller.wordpress_volume) < parse(larger.wordpress_volume)
    assert plans[-1] is LARGEST


def test_the_default_plan_exists() -> None:
    assert DEFAULT_PLAN in PLANS
