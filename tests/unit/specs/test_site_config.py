"""What PHP is given; tests/e2e/test_values_of_the_catalogue_stay_values.py asks a real PHP what it makes of it."""

import json
from typing import Any

import pytest

from siteforge.specs import site_config
from tests.support.blueprints import make
from tests.support.hostile import CONSTANTS, TEXTS


def config(**fields: Any) -> dict[str, str]:
    return site_config.config(make(**fields))


def site(**fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(config(**fields)["site.json"])
    return found


@pytest.mark.parametrize(
    ("memory", "workers"), [("64Mi", 2), ("256Mi", 4), ("512Mi", 10), ("1Gi", 23), ("4Gi", 100), ("64Gi", 150)]
)
def test_apaches_workers_fit_into_the_memory_limit(memory: str, workers: int) -> None:
    assert site_config.workers(memory) == workers
    limited = {"requests": {"memory": "64Mi"}, "limits": {"memory": memory}}
    assert f"MaxRequestWorkers {workers}\n" in config(wordpress={"resources": limited})["apache.conf"]


@pytest.mark.parametrize(("php", "workers"), [("32Mi", 23), ("128Mi", 23), ("256Mi", 11), ("1Gi", 2)])
def test_there_are_fewer_workers_where_php_may_take_more(php: str, workers: int) -> None:
    assert site_config.workers("1Gi", php) == workers


def settings(**php: Any) -> dict[str, str]:
    lines = config(wordpress={"php": php})["apache.conf"].splitlines()
    return dict(line.split()[1:] for line in lines if line.startswith("php_value"))


def test_phps_limits_are_those_of_the_catalogue() -> None:
    limits = {"memoryLimit": "100M", "uploadLimit": "0.25Gi", "maxExecutionTime": 120, "maxInputVars": 5000}
    assert settings(**limits).items() >= {
        ("memory_limit", "95M"),
        ("upload_max_filesize", "256M"),
        ("post_max_size", "260M"),
        ("max_execution_time", "120"),
        ("max_input_vars", "5000"),
    }
    assert settings().items() >= {("memory_limit", "128M"), ("upload_max_filesize", "64M"), ("post_max_size", "68M")}


def test_only_whole_numbers_get_into_apaches_settings() -> None:
    wordpress = {"extraConfig": CONSTANTS, "env": {f"E{i}": text for i, text in enumerate(TEXTS)}}
    plain, hostile = (config(wordpress=given)["apache.conf"] for given in ({}, wordpress))
    assert plain == hostile
    assert "@" not in plain


def test_no_value_gets_into_a_script() -> None:
    plain, hostile = (config(wordpress=given) for given in ({}, {"extraConfig": CONSTANTS}))
    assert {name for name in plain if plain[name] != hostile[name]} == {"site.json"}


def test_constants_come_out_as_they_went_in_with_their_types() -> None:
    found = site(wordpress={"extraConfig": CONSTANTS})["constants"]
    assert {name: (type(value), value) for name, value in found.items()} == {
        name: (type(value), value) for name, value in CONSTANTS.items()
    }


def test_the_values_are_ascii_whatever_they_say() -> None:
    assert config(wordpress={"extraConfig": CONSTANTS})["site.json"].isascii()


def test_the_same_values_give_the_same_files_in_any_order() -> None:
    turned = dict(reversed(CONSTANTS.items()))
    assert config(wordpress={"extraConfig": CONSTANTS}) == config(wordpress={"extraConfig": turned})


EXTERNAL = {"host": "db.example.com", "cidr": "10.20.0.0/16"}


@pytest.mark.parametrize(
    ("external", "host"),
    [
        (None, "mariadb"),
        (EXTERNAL, "db.example.com"),
        (EXTERNAL | {"port": 3307}, "db.example.com:3307"),
        ({"host": "10.20.0.5"}, "10.20.0.5"),
        ({"host": "2001:db8::5", "port": 3307}, "[2001:db8::5]:3307"),
    ],
)
def test_the_databases_address_is_written_as_wordpress_takes_it(external: Any, host: str) -> None:
    assert site_config.database_host(make(database={"external": external} if external else {})) == host


def test_no_password_is_in_the_configuration() -> None:
    smtp = {"host": "smtp.example.com", "from": "a@example.com", "user": "lumi"}
    assert "password" not in config(wordpress={"smtp": smtp}, database={"external": EXTERNAL})["site.json"].lower()
    assert site(wordpress={"smtp": smtp})["smtp"] == {
        "host": "smtp.example.com",
        "port": 587,
        "encryption": "starttls",
        "user": "lumi",
        "from": "a@example.com",
    }
