from siteforge.suggestions import did_you_mean

NAMES = [f"blog-{number:04}" for number in range(1000)]


def test_the_nearest_word_is_meant_whatever_its_case() -> None:
    assert did_you_mean("Titel", ["title", "plan"]) == "did you mean title?"
    assert did_you_mean("BLOG-0007", NAMES) == "did you mean blog-0007?"


def test_where_none_is_near_all_are_told_but_of_a_fleet_the_first() -> None:
    assert did_you_mean("xyz", ["title", "plan"]) == "use one of title, plan"
    told = did_you_mean("xyz", NAMES)
    assert told.startswith("use one of blog-0000, blog-0001, ")
    assert told.endswith("blog-0039, or of 960 more")
