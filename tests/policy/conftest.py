"""The manifests that everything here judges, rendered once by the real engine and provider."""

from pathlib import Path

import pytest

from local import rendering

ROOT = Path(__file__).parents[2]
EVERYTHING = ROOT / "tests" / "catalogue" / "valid" / "everything.yaml"


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's catalogue, where `make render` writes it."""
    return rendering.render()


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue in which every field is used."""
    return rendering.render(EVERYTHING, tmp_path_factory.mktemp("render") / "everything")


@pytest.fixture(scope="session")
def reaching(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue in which every field of domains, PHP and external servers is used."""
    return rendering.render(EVERYTHING.with_name("reaching.yaml"), tmp_path_factory.mktemp("render") / "reaching")


@pytest.fixture(params=["repository", "everything", "reaching"])
def rendered(request: pytest.FixtureRequest) -> Path:
    """Each of these."""
    folder: Path = request.getfixturevalue(request.param)
    return folder
