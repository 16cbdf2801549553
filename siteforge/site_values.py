"""The types of fields that reach PHP: its limits, the environment, constants of wp-config.php.

No value here becomes source text: limits are numbers, constants travel as JSON (specs/site_config.py), and the
environment as the API server keeps it. What is refused is what would break the site, or show a secret.
"""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from siteforge.constraints import BYTES, pattern, quantity, rule
from siteforge.secrets import SALTS

_MOST_BYTES = 65536
"""Of all variables or constants of a site; an object of the API server holds a mebibyte."""
_ENV_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,99}"
_CONSTANT_NAME = r"[A-Z][A-Z0-9_]{0,99}"
_CONFIDENTIAL = r"PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|KEYS?(_|$)|(^|_)(PASS|SALT)(_|$)"
_RESERVED_ENV = ("APACHE_", "KUBERNETES_", "LD_", "MARIADB_", "PHP", "SITEFORGE_", "WORDPRESS_")
_RESERVED_ENV_NAMES = frozenset({"HOME", "HOSTNAME", "PATH", "PWD"})
_RESERVED_CONSTANTS = frozenset(
    {
        *("ABSPATH", "WPINC", "WP_INSTALLING"),
        *("WP_HOME", "WP_SITEURL"),
        *("FS_METHOD", "WP_AUTO_UPDATE_CORE"),
        *("WP_CONTENT_DIR", "WP_CONTENT_URL", "WP_PLUGIN_DIR", "WP_PLUGIN_URL", "WPMU_PLUGIN_DIR", "WPMU_PLUGIN_URL"),
        *SALTS,
    }
)
_CONFIDENTIAL_FIX = (
    "whoever may see the site's pods or ConfigMap would read it: keep it in the site's own settings (wp-admin)"
)


Values = TypeVar("Values", bound=Mapping[str, Any])


def _env_name(text: str) -> str:
    if not re.fullmatch(_ENV_NAME, text):
        raise rule("not the name of a variable", "use letters, digits and '_', as in FEATURE_FLAGS")
    name = text.upper()
    if name.startswith(_RESERVED_ENV) or name in _RESERVED_ENV_NAMES:
        raise rule("reserved: the image or Siteforge sets it", "choose another name")
    if re.search(_CONFIDENTIAL, name):
        raise rule("the name of something secret", _CONFIDENTIAL_FIX)
    return text


def _constant_name(text: str) -> str:
    if not re.fullmatch(_CONSTANT_NAME, text):
        raise rule("not the name of a constant", "use A-Z, digits and '_', as in WP_POST_REVISIONS")
    if text in _RESERVED_CONSTANTS or text.startswith(("DB_", "SITEFORGE_")):
        raise rule("reserved: Siteforge sets it", "remove it; domains, database and volumes are fields of their own")
    if re.search(_CONFIDENTIAL, text):
        raise rule("the name of something secret", _CONFIDENTIAL_FIX)
    return text


def _text(text: str) -> str:
    # Neither NUL, which no environment can hold, nor half a surrogate pair, which no UTF-8 can.
    if not all(character.isprintable() or character in "\t\n" for character in text):
        raise rule("a text with a control character", "remove it; only tabs and line breaks may be in it")
    return text


def _small(values: Values) -> Values:
    size = len(json.dumps(values))
    if size > _MOST_BYTES:
        raise rule(f"{size} bytes in all, written as JSON", f"use at most {_MOST_BYTES}")
    return values


def _constant_value(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):  # a bool is one, too
        if not -(2**63) <= value < 2**63:
            raise rule("a number that PHP can't hold", "use at most 64 bits")
        return value
    raise rule("neither a text, a whole number, true nor false", "write it as in 10, true or 'a text'")


_TEXT = r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$"
_NAME_BEGINS = f"^({'|'.join(_RESERVED_ENV)})|^({'|'.join(sorted(_RESERVED_ENV_NAMES))})$"

EnvName = Annotated[
    str,
    AfterValidator(_env_name),
    Field(
        examples=["FEATURE_FLAGS"],
        json_schema_extra={"pattern": pattern(_ENV_NAME), "not": {"pattern": f"{_NAME_BEGINS}|{_CONFIDENTIAL}"}},
    ),
]
EnvValue = Annotated[str, AfterValidator(_text), Field(json_schema_extra={"pattern": _TEXT})]
ConstantName = Annotated[
    str,
    AfterValidator(_constant_name),
    Field(
        examples=["WP_POST_REVISIONS"],
        json_schema_extra={
            "pattern": pattern(_CONSTANT_NAME),
            "not": {"pattern": f"^({'|'.join(sorted(_RESERVED_CONSTANTS))})$|^DB_|^SITEFORGE_|{_CONFIDENTIAL}"},
        },
    ),
]
ConstantValue = Annotated[
    Any,
    BeforeValidator(_constant_value),
    WithJsonSchema(
        {"type": ["boolean", "integer", "string"], "pattern": _TEXT, "minimum": -(2**63), "maximum": 2**63 - 1}
    ),
]
"""True, false, a whole number or a text."""
Environment = Annotated[dict[EnvName, EnvValue], AfterValidator(_small)]
Constants = Annotated[dict[ConstantName, ConstantValue], AfterValidator(_small)]
PhpMemory = Annotated[str, *quantity("an amount of memory", BYTES, "32Mi", "16Gi", "256Mi")]
# Uploads wait in a scratch folder of the pod until they are complete (specs/wordpress.py).
UploadSize = Annotated[str, *quantity("a size of a file", BYTES, "1Mi", "512Mi", "128Mi")]
ExecutionSeconds = Annotated[int, Field(ge=1, le=3600)]
InputVars = Annotated[int, Field(ge=100, le=100_000)]
