"""The manifests that everything here judges, rendered once by the real engine and provider."""

from pathlib import Path

import pytest

from local import rendering

ROOT = Path(__file__).parents[2]
EVERYTHING = ROOT / "tests" / "catalogue" / "valid" / "everything.yaml"


_RENDERED = {"repository", "everything", "reaching", "rendered"}


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process renders; the seeded weaknesses take long enough for one of their own."""
    for item in items:
        if "/policy/" in str(item.path) and not _RENDERED.isdisjoint(getattr(item, "fixturenames", ())):
            alone = item.path.stem == "test_weaknesses"
            item.add_marker(pytest.mark.xdist_group("weaknesses" if alone else "policy"))


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
