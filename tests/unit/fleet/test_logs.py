import pytest

from siteforge.fleet.logs import Line, Source, merge, parse, sources
from siteforge.names import DATABASE, WORDPRESS
from tests.support import namespaces

SITE = Source("wordpress-1", "wordpress", serves=True)
DATA = Source("mariadb-0", "mariadb", serves=True)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    {
        "1970-01-01T00:00:01.000000002Z said": 1_000_000_002,
        "1970-01-01T00:00:01.5Z said": 1_500_000_000,
        "1970-01-01T00:00:01Z said": 1_000_000_000,
        "1970-01-01T02:00:01.500000000+02:00 said": 1_500_000_000,
        "1969-12-31T19:00:01.500000000-05:00 said": 1_500_000_000,
    }.items(),
)
def test_times_have_all_digits_and_any_zone(text: str, nanoseconds: int) -> None:
    assert parse(SITE, text) == Line(nanoseconds, SITE, "said")


def test_a_time_is_told_as_it_was_written() -> None:
    text = "2026-11-29T22:02:36.000000107Z"
    assert parse(SITE, f"{text} said").time == text
    assert Line(0, SITE, "said").time == ""


@pytest.mark.parametrize("text", ["", "unable to retrieve container logs", "9999-99-99T99:99:99Z x"])
def test_a_line_without_a_time_follows_the_one_before(text: str) -> None:
    assert parse(SITE, text, before=7) == Line(7, SITE, text)


def test_a_line_keeps_its_spaces_and_may_be_empty() -> None:
    assert parse(SITE, "1970-01-01T00:00:00.000000000Z   a b ").text == "  a b "
    assert parse(SITE, "1970-01-01T00:00:00.000000000Z ").text == ""


def test_streams_are_merged_by_time_and_each_stays_in_order() -> None:
    site = [Line(moment, SITE, f"{moment}{part}") for moment in (1, 4) for part in "ab"]
    data = [Line(moment, DATA, str(moment)) for moment in (0, 2, 5)]
    assert [line.text for line in merge([site, data])] == ["0", "1a", "1b", "2", "4a", "4b", "5"]


def test_containers_that_never_ran_have_no_log() -> None:
    waiting = {"name": "wordpress", "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    crashed = {
        "name": "mariadb",
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1}},
    }
    installed = {"name": "install", "state": {"terminated": {"exitCode": 0}}}
    pods = [
        namespaces.pod("blog", WORDPRESS, initContainerStatuses=[installed], containerStatuses=[waiting]),
        namespaces.pod("blog", DATABASE, containerStatuses=[crashed]),
    ]
    assert [str(source) for source in sources(pods)] == ["wordpress-1/install", "mariadb-1"]
