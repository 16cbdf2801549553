"""What a site's PHP reads: its scripts, as they are, and `site.json`, the tenant's own values.

Values of the catalogue never become PHP source: they are JSON, which scripts/site.php decodes, so that no value
can end a string or a comment. Apache's settings are a template that takes whole numbers only.
"""

import functools
import json
from importlib import resources
from typing import Any

from siteforge import names
from siteforge.addresses import is_address
from siteforge.blueprint import Blueprint
from siteforge.names import DATABASE
from siteforge.quantities import MEBIBYTE, parse
from siteforge.specs import database

_SCRIPTS = ("config.php", "cron.php", "health.php", "install.php", "site.php", "suspended.conf", "suspended.php")
METRICS_PORT = 9117
_POST_BEYOND_UPLOAD_MEBIBYTES = 4


def config(tenant: Blueprint) -> dict[str, str]:
    """The files, by name."""
    scripts = {name: _script(name) for name in _SCRIPTS}
    if tenant.ingress.metrics_namespace:
        scripts["metrics.conf"] = _script("metrics.conf").replace("@PORT@", str(METRICS_PORT))
        scripts["metrics.php"] = _script("metrics.php")
    return scripts | {"apache.conf": _apache(tenant, _script("apache.conf")), "site.json": _site(tenant)}


def workers(memory_limit: str, php_limit: str = "128Mi") -> int:
    """How many requests Apache serves at once: the base takes some 96 MiB, each PHP process some 40 MiB.

    A higher limit of PHP is asked for by sites whose pages take more: each process is counted with 5/16 of it,
    which is 40 of 128. The image's default of 150 processes would get a small container killed by its first
    busy minute.
    """
    each = max(40, 5 * mebibytes(php_limit) // 16)
    return min(max((mebibytes(memory_limit) - 96) // each, 2), 150)


def post_mebibytes(tenant: Blueprint) -> int:
    """The largest request in MiB: an upload and the form it is sent with."""
    return mebibytes(tenant.site.php.upload_limit) + _POST_BEYOND_UPLOAD_MEBIBYTES


def mebibytes(quantity: str) -> int:
    """A quantity of bytes in MiB, rounded down."""
    return int(parse(quantity) / MEBIBYTE)


@functools.cache  # the same for every tenant of a fleet
def _script(name: str) -> str:
    return (resources.files("siteforge.specs") / "scripts" / name).read_text()


def _apache(tenant: Blueprint, template: str) -> str:
    php = tenant.site.php
    numbers = {
        "WORKERS": workers(tenant.site.size.memory_limit, php.memory_limit),
        "MEMORY": mebibytes(php.memory_limit),
        "UPLOAD": mebibytes(php.upload_limit),
        "POST": post_mebibytes(tenant),
        "SECONDS": php.max_execution_time,
        "INPUT_VARS": php.max_input_vars,
    }
    for name, number in numbers.items():
        template = template.replace(f"@{name}@", str(number))
    return template


def _site(tenant: Blueprint) -> str:
    external, smtp = tenant.external_database, tenant.site.smtp
    values: dict[str, Any] = {
        "service": names.service_host(tenant.name),
        "domains": list(tenant.domains),
        "tls": tenant.tls is not None,
        "database": {
            "host": external.host if external else DATABASE,
            "port": external.port if external else database.PORT,
        },
        "constants": tenant.site.constants,
        "smtp": smtp and smtp.model_dump(include={"host", "port", "encryption", "user"}) | {"from": smtp.sender},
    }
    # ASCII, so that no editor or terminal on the way shows a value as something else.
    return json.dumps(values, indent=2, sort_keys=True) + "\n"


def database_host(tenant: Blueprint) -> str:
    """The database's address as WordPress takes it (DB_HOST)."""
    external = tenant.external_database
    if not external:
        return DATABASE
    host = f"[{external.host}]" if is_address(external.host) and ":" in external.host else external.host
    return host if external.port == database.PORT else f"{host}:{external.port}"
