"""The catalogue's JSON Schema, in a JSON Schema validator, against every sample of a catalogue."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from siteforge import catalogue, document, schema
from siteforge.errors import CatalogueError
from siteforge.plans import PLANS
from tests.support import schemas

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "catalogue"
VALID = [*sorted(SAMPLES.glob("valid/*.yaml")), ROOT / "tenants.yaml"]
INVALID = sorted(SAMPLES.glob("invalid/*.yaml"))

# Files that a schema never sees the content of, because an editor can't read them as one YAML document.
UNREADABLE = {
    "alias_as_a_key",
    "bad_indentation",
    "control_character",
    "deep_nesting",
    "key_is_a_list",
    "latin1",
    "not_utf8",
    "nul_after_umlauts",
    "nul_byte",
    "syntax_error_after_others",
    "tab_indentation",
    "text_after_the_end",
    "unclosed_bracket",
    "unclosed_flow_in_the_middle",
    "unclosed_quote",
    "utf16",
    "very_deep_nesting",
}

# Files with no mistake but some that a schema can't express.
ACCEPTED = {
    "domains_of_two_tenants",
    "duplicate_key",
    "duplicate_names",
    "merge_key",
    "renamed",
    "requests_over_limits",
    "two_documents",
}

# All mistakes in values that a schema can't express. It can't compare tenants or fields, has no bounds for a
# quantity that is a text, and 2.0 is a whole number to it.
INEXPRESSIBLE = {
    f"not an image reference ({'a' * 57}...)",  # a name of 256 characters
    f"not an e-mail address ({'a' * 57}...)",  # 65 characters before the @
    "at least 4 replicas, at most 3",
    "blog-aku can't become shop-lumi: a namespace has one name, and its volumes stay in it",
    "finer than a thousandth (1.0000000001Gi)",
    "larger than Kubernetes can count (9Ei)",
    "less than 10m (9m)",
    "less than 64Mi (0Mi)",
    "less than 64Mi (10Mi)",
    "less than 64Mi (63Mi)",
    "more than 4Ti (5Ti)",
    "more than 64Ti (65Ti)",
    "not a whole number (2.0)",
    "not an amount of CPU (0.5e1)",
    "not an amount of memory (1E9)",
    "not an amount of memory (1e9)",
    "not an amount of storage (1e10)",
    "operator Equal without a value",
    "operator Exists with a value",
    "replicas beside autoscaling",
    "requests 128Mi of memory, over its limit of 64Mi",
    "requests 1Gi of memory, over its limit of 512Mi",
    "requests 2 of cpu, over its limit of 500m",
    "the same name as the tenant in line 2 (blog-aku)",
    "tolerationSeconds without effect NoExecute",
    "65548 bytes in all, written as JSON",
    "a domain of the tenant t0 in line 5 already (Lumi.Example.com.)",
    "a domain of the tenant t0 in line 5 already (xn--bcher-kva.example)",
    "a domain of the tenant t1 in line 9 already (www.lumi.example.com)",
    "a login without encryption",
    "a name without its network, which network policies need",
    "a network with addresses of a node's own (127.0.0.0/8) (0.0.0.0/0)",
    "a network with addresses of a node's own (::1/128) (::/0)",
    "image of a database that is kept elsewhere",
    "kind without an issuer",
    "lumi.example.com twice",
    "more than 512Mi (1Gi)",
    "more than one certificate",
    "no certificate",
    "not a domain (lu\\u202emi.example.com)",
    "not a domain (lumilumilumilumilumilumilumilumilumilumilumilumilumilumil...)",
    "not a domain (xn--a.example.com)",
    "not a host (10.0.0)",
    "not a network (10.0.0.1/8)",
    "not a network (10.0.0.5/24)",
    "one request may take 512Mi, the whole container 256Mi",
    "reserved: the image or Siteforge sets it (wordpress_table_prefix)",
    "the name of something secret (ApiToken)",
    "tls without domains",
    "volume of a database that is kept elsewhere",
}


def test_the_committed_schema_is_what_the_models_give() -> None:
    assert schemas.FILE.read_text() == json.dumps(schema.schema(), indent=2) + "\n", "run `make schema`"


def test_it_is_a_schema_of_draft_2020_12() -> None:
    assert schemas.SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schemas.SCHEMA)


def test_the_shipped_catalogue_names_the_schema_for_editors() -> None:
    first = (ROOT / "tenants.yaml").read_text().splitlines()[0]
    name = first.removeprefix("# yaml-language-server: $schema=")
    assert ROOT / name == schemas.FILE


def parts(part: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every part of the schema with the path of the field that it is about."""
    part = schemas.resolve(part)
    yield path, part
    for key, inner in part.get("properties", {}).items():
        yield from parts(inner, f"{path}.{key}")
    if "items" in part:
        yield from parts(part["items"], f"{path}[]")
    if isinstance(part.get("additionalProperties"), dict):
        yield from parts(part["propertyNames"], f"{path}{{key}}")
        yield from parts(part["additionalProperties"], f"{path}{{value}}")


def test_every_field_is_described() -> None:
    for path, part in parts(schemas.SCHEMA):
        # What is in a list of texts, or in a mapping with any keys, is described with it.
        assert part.get("description") or path.endswith(("[]", "{key}", "{value}")), path


def test_nothing_may_be_anything() -> None:
    for path, part in parts(schemas.SCHEMA):
        if part["type"] == "object":
            assert part["additionalProperties"] is False or "propertyNames" in part, path
        elif part["type"] == "array":
            assert "items" in part, path
        elif part["type"] != "boolean":
            assert {"pattern", "enum", "minimum"} & set(part), path


def marked(**fields: Any) -> set[str]:
    """Where an editor marks a tenant that is right but for these fields."""
    tenant = {"name": "a", "title": "A", "adminEmail": "a@example.com", **fields}
    return {document.render_path(path[2:]) for path in schemas.rejected({"tenants": [tenant]})}


def test_editors_mark_a_wrong_item_of_a_list_and_the_same_one_twice() -> None:
    assert marked(owners={"users": ["aku", "mei"], "groups": ["aku"]}) == set()
    assert marked(owners={"users": ["aku", "aku"], "groups": ["a", "system:masters", " a"]}) == {
        "owners.users",
        "owners.groups[1]",
        "owners.groups[2]",
    }
    tolerations = [{"key": "a", "operator": "Exists"}, {"operator": "Exists"}, {"key": "a", "effect": "NoRun"}]
    assert marked(database={"scheduling": {"tolerations": tolerations}}) == {
        "database.scheduling.tolerations[1].key",
        "database.scheduling.tolerations[2].effect",
    }


def test_editors_mark_a_wrong_key_or_value_of_a_mapping_with_any_keys() -> None:
    selector = {"disktype": "ssd", "example.com/zone": "", "bad key": "a", "zone": "a b", "rack": 1}
    assert marked(wordpress={"scheduling": {"nodeSelector": selector}}) == {
        "wordpress.scheduling.nodeSelector.bad key",
        "wordpress.scheduling.nodeSelector.zone",
        "wordpress.scheduling.nodeSelector.rack",
    }


def test_editors_complete_the_plans() -> None:
    assert dict(parts(schemas.SCHEMA))[".tenants[].plan"]["enum"] == list(PLANS)


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_catalogue_passes(path: Path) -> None:
    assert schemas.rejected(document.read(path, "").value) == set()


def read(path: Path) -> document.Document | None:
    try:
        return document.read(path, "")
    except CatalogueError:
        return None


def test_what_no_editor_can_read_is_listed_here() -> None:
    assert {path.stem for path in INVALID if read(path) is None} == UNREADABLE


READABLE = [path for path in INVALID if path.stem not in UNREADABLE]


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.stem)
def test_an_invalid_catalogue_fails_but_for_those_listed_here(path: Path) -> None:
    assert bool(schemas.rejected(document.read(path, "").value)) is (path.stem not in ACCEPTED)


def missed(path: Path) -> Iterator[str]:
    """The mistakes in values that `siteforge validate` finds at a place where the schema finds none."""
    source = document.read(path, "")
    found = {document.render_path(place) for place in schemas.rejected(source.value)}
    with pytest.raises(CatalogueError) as error:
        catalogue.from_document(source)
    for problem in error.value.problems:
        if problem.path not in found and problem not in source.problems:
            yield f"{problem.reason} ({problem.value})" if problem.value else problem.reason


def test_every_mistake_fails_where_it_stands_but_for_those_listed_here() -> None:
    assert {mistake for path in READABLE for mistake in missed(path)} == INEXPRESSIBLE
