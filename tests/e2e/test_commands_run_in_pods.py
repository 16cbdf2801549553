import hashlib
from collections.abc import Iterator

import pytest

from siteforge.errors import ClusterError
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.execution import CommandError, Container, output, stream
from tests.e2e.conftest import BLOG
from tests.support.stack import Stack

DATABASE = Container(BLOG, "mariadb-0", "mariadb")


@pytest.fixture
def cluster(blog_stack: Stack, api: Cluster) -> Cluster:
    return api


def pieces() -> Iterator[bytes]:
    for number in range(300):
        yield bytes([number % 256]) * 100_000


def test_every_byte_passes_in_both_directions(cluster: Cluster) -> None:
    digest = hashlib.sha256(b"".join(pieces())).hexdigest()
    assert output(cluster, DATABASE, ["sha256sum"], pieces()) == f"{digest}  -"
    there_and_back = hashlib.sha256()
    for piece in stream(
        cluster, DATABASE, ["sh", "-c", "cat > /tmp/pieces; cat /tmp/pieces; rm /tmp/pieces"], pieces()
    ):
        there_and_back.update(piece)
    assert there_and_back.hexdigest() == digest


def test_many_short_commands_all_answer(cluster: Cluster) -> None:
    assert {output(cluster, DATABASE, ["echo", str(number)]) for number in range(60)} == {*map(str, range(60))}


def test_a_command_that_fails_says_why(cluster: Cluster) -> None:
    with pytest.raises(CommandError, match=rf"{BLOG}/mariadb-0 failed with exit code 3: no, \\x1b\[31mthanks"):
        output(cluster, DATABASE, ["sh", "-c", r"printf 'no, \033[31mthanks' >&2; exit 3"])
    with pytest.raises(CommandError, match="executable file not found"):
        output(cluster, DATABASE, ["there-is-none"])
    with pytest.raises(ClusterError, match=r'\(404\): pods "gone" not found'):
        output(cluster, Container(BLOG, "gone", "mariadb"), ["true"])


def test_a_command_that_leaves_its_input_unread_ends_all_the_same(cluster: Cluster) -> None:
    assert output(cluster, DATABASE, ["head", "-c", "3"], pieces()) == "\0\0\0"
    with pytest.raises(CommandError, match="failed with exit code 5"):
        output(cluster, DATABASE, ["sh", "-c", "exit 5"], pieces())


def test_input_that_cannot_be_read_is_the_error_that_is_told(cluster: Cluster) -> None:
    def cut() -> Iterator[bytes]:
        yield b"some"
        raise ValueError("the rest is missing")

    with pytest.raises(ValueError, match="the rest is missing"):
        output(cluster, DATABASE, ["cat"], cut())
