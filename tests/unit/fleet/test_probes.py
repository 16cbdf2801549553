import pytest

from siteforge.fleet.probes import LEAST_FAILURES, Tally, failed, visit

START = '10.204.0.1 - - [29/Nov/2026:11:20:53 +0000] "GET '
BROWSER = '"https://example.com/" "Mozilla/5.0 (X11)"'


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (f'{START}/ HTTP/1.1" 200 5120 {BROWSER}', 200),
        (f'{START}/?p=1 HTTP/1.1" 500 0 {BROWSER}', 500),
        (f'{START}/ HTTP/1.1" 503 12', 503),
        (f'{START}/ HTTP/1.1" 200 99 "-" "siteforge-probe"', None),
        (f'{START}/siteforge-health.php?ready HTTP/1.1" 503 182 "-" "kube-probe/1.36"', None),
        ('[php:error] PHP Fatal error: it says "GET 500"', None),
        ("", None),
    ],
)
def test_visitors_are_told_from_probes_in_apaches_log(line: str, status: int | None) -> None:
    assert visit(line) == status


def test_a_page_that_is_not_there_is_no_failure_of_the_site() -> None:
    assert [status for status in (200, 301, 401, 404, 429, 500, 503, 0) if failed(status)] == [500, 503, 0]


def test_few_failures_are_over_no_share_and_many_are() -> None:
    tally = Tally()
    for _ in range(LEAST_FAILURES - 1):
        tally.add(500)
    assert not tally.over(0)
    tally.add(0)
    assert tally.over(99)
    for _ in range(97):
        tally.add(200)
    assert (str(tally), tally.over(5), tally.over(2)) == ("3 of 100 requests failed", False, True)
