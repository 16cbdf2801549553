import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteforge.redaction import REDACTED, redact
from siteforge.secrets import derive
from siteforge.specs import database, wordpress

KNOWN = derive("s" * 40, "blog-aku")
VALUES = [KNOWN.database_password, KNOWN.database_root_password, KNOWN.admin_password, *KNOWN.salts.values()]


def spellings(text: str) -> list[str]:
    """As it is, in base64, URL-encoded, in JSON, and these of each other."""
    encoded = base64.b64encode(text.encode()).decode()
    both = [text, encoded]
    return [*both, *(quote(one, safe="") for one in both), *(quote(one) for one in both), *map(json.dumps, both)]


@pytest.mark.parametrize("value", VALUES)
def test_no_spelling_of_a_derived_value_is_left(value: str) -> None:
    for spelled in spellings(value):
        for line in (spelled, f"a {spelled} b", f"key={spelled}&x", f'{{"data":"{spelled}"}}', f"map[a:{spelled} b:c]"):
            found = redact(line)
            assert REDACTED in found
            assert found.replace(REDACTED, "") == line.replace(spelled, json.dumps("") if spelled[0] == '"' else "")


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "ALTER USER root@'%' IDENTIFIED BY '"])
@pytest.mark.parametrize("after", ["", "'", "';\n", "a?>b?>c??"])
def test_a_value_in_the_midst_of_what_was_encoded_is_found(before: str, after: str) -> None:
    for value in VALUES:
        encoded = base64.b64encode(f"{before}{value}{after}".encode()).decode()
        assert redact(f"x: {encoded}.") == f"x: {REDACTED}."
        assert redact(quote(encoded, safe="")) == REDACTED


def test_the_secrets_of_a_tenant_are_all_found() -> None:
    for data in (wordpress.secret_data(KNOWN), database.secret_data(KNOWN)):
        assert data
        assert redact(json.dumps(data)) == json.dumps(dict.fromkeys(data, REDACTED))


@given(st.text())
def test_a_text_without_secrets_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "line",
    [
        "wordpress:6.8.3-php8.3-apache@sha256:30bff39330d1693b0ce13d32fc9b7bb67193064f040b7d60d3494e136fa599d4",
        "urn:pulumi:dev::siteforge::siteforge:index:Tenant$kubernetes:core/v1:Secret::blog-aku-wordpress-secret",
        "I1129 00:33:48.000000 step.go:59] registerResource(siteforge:index:Tenant) /apis/apps/v1/namespaces/blog-aku",
    ],
)
def test_what_logs_are_made_of_stays(line: str) -> None:
    assert redact(line) == line
