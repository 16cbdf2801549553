from tests.support import schemas
from tests.support.cli import siteforge


def test_it_prints_the_schema_that_is_committed() -> None:
    done = siteforge("schema")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == schemas.FILE.read_text()
