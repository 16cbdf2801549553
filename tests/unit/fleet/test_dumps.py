import gzip
from pathlib import Path

import pytest

from siteforge.errors import BackupError
from siteforge.fleet import dumps

WHOLE = b"-- MariaDB dump 10.19\nINSERT INTO `wp_posts` VALUES (1,'a;\\n');\n-- Dump completed on 2026-11-29\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "old.sql"


@pytest.mark.parametrize("content", [WHOLE, gzip.compress(WHOLE)], ids=["plain", "gzipped"])
def test_a_whole_dump_is_read_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert dumps.check(path) == len(WHOLE)
    assert b"".join(dumps.read(path)) == WHOLE


def test_a_dump_of_a_program_without_comments_ends_with_a_statement(path: Path) -> None:
    path.write_bytes(b"CREATE TABLE a (b INT);\n\n")
    dumps.check(path)


@pytest.mark.parametrize("length", range(len(WHOLE) - len("-- Dump completed on 2026-11-29\n") + 1))
def test_a_dump_that_was_cut_short_anywhere_is_refused(path: Path, length: int) -> None:
    path.write_bytes(WHOLE[:length])
    # Before its first line is whole it is no such dump yet: there is nothing but a comment then.
    if len("-- MariaDB dump") <= length or not WHOLE[:length].startswith(b"--"):
        with pytest.raises(BackupError, match=r"nothing was changed - make the dump again"):
            dumps.check(path)


def test_a_gzipped_dump_that_was_cut_short_anywhere_is_refused(path: Path) -> None:
    content = gzip.compress(WHOLE)
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(BackupError, match=r"old\.sql: .*nothing was changed"):
            dumps.check(path)


@pytest.mark.parametrize("content", [b"", b" \n", b"PK\x03\x04\0\0", b"SELECT"], ids=["empty", "blank", "zip", "half"])
def test_what_is_no_dump_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(BackupError, match="nothing was changed"):
        dumps.check(path)


def test_a_file_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(BackupError, match=r"old\.sql: it can't be read to its end \(No such file"):
        dumps.check(path)
