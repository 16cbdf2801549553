from pathlib import Path

import pytest

from siteforge.errors import SettingsError
from siteforge.fleet import places
from siteforge.fleet.places import Key


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("backups", Path("backups")),
        ("/srv/s3", Path("/srv/s3")),
        ("s3://bucket", Key("bucket")),
        ("s3://bucket/a/b/", Key("bucket", "a/b")),
    ],
)
def test_a_place_is_a_folder_or_a_prefix_of_a_bucket(text: str, place: Path | Key) -> None:
    assert places.parse(text) == place


def test_what_is_in_a_place_is_named_as_people_name_it() -> None:
    found = Key("bucket", "a") / "blog" / "x.zip"
    assert (str(found), found.name) == ("s3://bucket/a/blog/x.zip", "x.zip")
    assert str(Key("bucket") / "blog") == "s3://bucket/blog"


@pytest.mark.parametrize("text", ["s3://", "http://bucket/a", "s3:///a", "s3://bucket?endpoint=x", "s3://bucket/a#b"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="neither a folder nor s3://BUCKET/PREFIX"):
        places.parse(text)


def test_credentials_have_no_place_in_it() -> None:
    with pytest.raises(SettingsError, match="use AWS_ACCESS_KEY_ID") as caught:
        places.parse("s3://key:hunter2@bucket")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("size", [0, 1, 8 * 2**20, 78 * 2**30, 78 * 2**30 + 1, 5 * 2**40])
def test_a_backup_of_any_size_is_sent_in_as_many_parts_as_s3_takes(size: int) -> None:
    part = places.part_bytes(size)
    assert -(-size // part) <= 10_000
    assert 8 * 2**20 <= part < 5 * 2**30
