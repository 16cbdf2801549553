"""10,000 made-up catalogues: whatever stands in a file, the answer is tenants or problems, soon, and the same twice.

The inputs are the same on every run. SITEFORGE_FUZZ=1000000 tries that many new ones.
"""

import copy
import json
import os
import time
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siteforge import catalogue, document
from siteforge.blueprint import Images, Ingress, blueprint
from siteforge.errors import CatalogueError, Problem
from siteforge.tenant_spec import TenantSpec
from tests.support import schemas

SAMPLES = Path(__file__).parents[1] / "catalogue"
FILES = [path.read_bytes() for path in sorted(SAMPLES.glob("*/*.yaml")) if path.stat().st_size < 2000]
EVERYTHING = {
    "tenants": [
        tenant
        for name in ("everything", "reaching")
        for tenant in json.loads(json.dumps(document.read(SAMPLES / "valid" / f"{name}.yaml", "").value["tenants"]))
    ]
}
"""Two samples that name every field between them."""
for number, tenant in enumerate(EVERYTHING["tenants"]):
    tenant["name"] = f"t{number}"

COUNT = int(os.environ.get("SITEFORGE_FUZZ", "10000"))


def fuzz(share: float) -> settings:
    return settings(
        max_examples=int(COUNT * share),
        derandomize="SITEFORGE_FUZZ" not in os.environ,
        database=None,
        deadline=None,  # check() measures the time of the process alone
        suppress_health_check=list(HealthCheck),
    )


def judge(raw: bytes) -> list[TenantSpec] | list[Problem]:
    try:
        return catalogue.from_document(document.parse(raw, "tenants.yaml"))
    except CatalogueError as error:
        return error.problems


def check(raw: bytes) -> None:
    started = time.process_time()
    found = judge(raw)
    assert time.process_time() - started < 1
    assert found
    if len(raw) % 4 == 0:  # that's enough, and the time is better spent on other inputs
        assert judge(raw) == found
    for item in found:
        if isinstance(item, Problem):
            assert item.line >= 1
            assert item.column >= 1
            assert item.reason
            assert item.fix
            assert str(item).isprintable()
            assert len(str(item)) < 2000
        else:
            blueprint(item, Images(), Ingress())
    if isinstance(found[0], TenantSpec):
        value = document.parse(raw, "").value
        assert not schemas.rejected(value), "an editor would mark what is right"


TOKENS = """
    tenants: name title adminEmail plan wordpress database image replicas resources requests limits cpu memory
    volume size owners users groups scheduling tolerations nodeSelector key autoscaling maxReplicas micro blog-aku
    a@example.com 1Gi 0 -1 1e3 0x1F 010 ~ null true no on .nan 12:30 &a *a &a *b !!str !x !
    << ? | > |+ >- ' " [ ] { } , - : # % @ ` --- ... %YAML
""".split()  # noqa: SIM905
SPACES = [" ", "\n", "  ", "\n  ", "\n  - ", "\n    ", ": ", ", ", "\t", "\r\n", "\r", ""]
SPACES += ["\x00", "\x1b[31m", "\ufeff", "\u2028"]
SOUP = st.lists(st.sampled_from([*TOKENS, *SPACES, *SPACES]), max_size=20).map("".join)


@fuzz(0.05)
@given(st.binary(max_size=300))
def test_any_bytes_give_tenants_or_problems(raw: bytes) -> None:
    check(raw)


@fuzz(0.05)
@given(st.text(max_size=300))
def test_any_text_gives_tenants_or_problems(text: str) -> None:
    check(text.encode())


@fuzz(0.2)
@given(SOUP)
def test_any_soup_of_yaml_gives_tenants_or_problems(text: str) -> None:
    check(text.encode())


STEPS = 4
SPLICES = st.tuples(st.integers(0, 2000), st.integers(0, 20), SOUP.map(str.encode) | st.binary(max_size=5))


@fuzz(0.3 / STEPS)
@given(st.sampled_from(FILES), st.lists(SPLICES, min_size=STEPS, max_size=STEPS))
def test_any_damaged_file_gives_tenants_or_problems(raw: bytes, splices: list[tuple[int, int, bytes]]) -> None:
    for start, length, other in splices:
        start %= len(raw) + 1
        raw = raw[:start] + other + raw[start + length :]
        check(raw)


class Written(str):
    """A value as it stands in a file."""


def written(value: Any) -> str:
    """A value in YAML's flow style."""
    if isinstance(value, Written):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(key)}: {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


# What a person might write where another value belongs.
MISTAKES = [
    *TOKENS,
    *("1", "2", "-1", "0.5", "1.0", "8.10", "0.5e1", "+5", "1_000", "１", "2026-11-23", "0o17", "a:b", "1Gi", "512m"),
    *("1000m", "wordpress:6", "a:latest", "kube-a", "nano", "a@b.co"),
    *("", '""', '" "', '"a\\n"', '"1Gi\\n"', '"\\e[2J"', '"\\u202e"', "- a", "a: b", "9" * 200, "a" * 63, "a" * 64),
    *("[]", "{}", "[[]]", "[~]", "{cpu: 1}", '{"": ~}', "[{name: a}]", "[" * 30 + "]" * 30),
]
VALUES = (st.sampled_from(MISTAKES) | st.text(max_size=10).map(written)).map(Written)
KEYS = st.sampled_from([*TOKENS, "adminemail", "Plan", "limit"]) | st.text(max_size=5)
KINDS = st.sampled_from(["replace", "replace", "remove", "rename", "repeat", "add"])
CHANGES = st.lists(st.tuples(KINDS, st.integers(0, 1000), VALUES, KEYS), min_size=STEPS, max_size=STEPS)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with each of its keys or indices."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else range(len(value))
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


def change(value: Any, kind: str, where: int, other: Written, key: str) -> None:
    """Change one place of a catalogue."""
    every = places(value)
    if not every:
        return
    parent, at = every[where % len(every)]
    if kind == "remove":
        del parent[at]
    elif kind == "repeat" and isinstance(parent, list):
        parent.append(copy.deepcopy(parent[at]))
    elif kind == "rename" and isinstance(parent, dict):
        parent[key] = parent.pop(at)
    elif kind == "add" and isinstance(parent, dict):
        parent[key] = other
    else:
        parent[at] = other


@fuzz(0.4 / STEPS)
@given(CHANGES)
def test_any_change_of_a_valid_catalogue_gives_tenants_or_problems(
    changes: list[tuple[str, int, Written, str]],
) -> None:
    value = copy.deepcopy(EVERYTHING)
    for kind, where, other, key in changes:
        change(value, kind, where, other, key)
        check(written(value).encode())


def test_the_catalogue_that_is_changed_names_every_field() -> None:
    def fields(model: dict[str, Any], values: list[Any]) -> None:
        model = schemas.resolve(model)
        if "properties" in model:
            # `renamedFrom` is refused always: no catalogue that has it is right.
            known = set(model["properties"]) - {"renamedFrom"}
            assert {key for value in values for key in value} == known
            for key, inner in ((key, model["properties"][key]) for key in known):
                fields(inner, [value[key] for value in values if key in value])
        elif "items" in model:
            fields(model["items"], [item for value in values for item in value])

    fields(schemas.SCHEMA, [EVERYTHING])
