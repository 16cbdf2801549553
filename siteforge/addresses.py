"""The types of fields that are addresses: a site's domains, other servers' hosts and networks.

Each is a rule with its reason and the fix, as in `siteforge.constraints`. What a rule returns is the one
spelling of an address: lower case, no trailing dot, A-labels for names in other scripts (RFC 5891, by `idna`).
"""

import ipaddress
import re
from typing import Annotated

import idna
from pydantic import AfterValidator, Field

from siteforge.constraints import distinct, rule

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_PLAIN = re.compile(rf"(?!..--){_LABEL.pattern}", re.ASCII)
"""A label that has one spelling already. IDNA has hyphens in the third and fourth place to itself (RFC 5891, 4.2.3)."""
_OF_THE_CLUSTER = ("local", "localhost", "svc")
"""Last labels that lead to the cluster's own DNS, or to whoever asks."""
_LONGEST_NAME = 253
_MOST_DOMAINS = 50
_NEVER_A_NETWORK_TO_REACH = ("127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10")
"""Loopback and link-local addresses; the metadata services of clouds are among the latter."""


def domain(text: str) -> str:
    """A public domain name in its one spelling.

    Raises:
        PydanticCustomError: it is none; says why, and what to write.
    """
    example = "write the bare name, as in lumi.example.com"
    if "://" in text or "/" in text or "?" in text or "@" in text:
        raise rule("a URL, not a domain", example)
    if "*" in text:
        raise rule("a wildcard stands for domains of other tenants too", "name each domain")
    if _address(text):
        raise rule("an IP address, not a domain", example)
    if ":" in text:
        raise rule("a domain with a port", "leave the port out: the ingress controller decides it")
    name = _name(text, "not a domain", example)
    labels = name.split(".")
    if labels[-1].isdigit():
        raise rule("an IP address, not a domain", example)
    if labels[-1] in _OF_THE_CLUSTER:
        raise rule("a name that only the cluster itself knows", "name a public domain; these work without being listed")
    if len(labels) < 2:
        raise rule("a single label, not a domain", example)
    return name


def host(text: str) -> str:
    """Another server's address: an IP address, or a name in its one spelling.

    Raises:
        PydanticCustomError: it is neither.
    """
    if address := _address(text):
        return address
    name = _name(text, "not a host", "write its name or IP address, without a port, as in db.example.com")
    if name.rpartition(".")[2].isdigit():
        raise rule("not a host", "write an IP address with all its parts, as in 192.0.2.10")
    return name


def is_address(host: str) -> bool:
    """Whether a host is an IP address rather than a name."""
    return bool(_address(host))


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        return ""


def _name(text: str, reason: str, fix: str) -> str:
    if len(text) > 4 * _LONGEST_NAME:
        raise rule(reason, fix)  # not worth the time that its normalisation takes
    if len(text) <= _LONGEST_NAME and all(_PLAIN.fullmatch(label) for label in text.split(".")):
        return text  # as it nearly always is: a fleet's names take a tenth of the time
    try:
        # UTS #46 folds case and width, and knows every kind of dot.
        name = idna.encode(text, uts46=True, std3_rules=True, transitional=False).decode().removesuffix(".")
    except (idna.IDNAError, UnicodeError):
        raise rule(reason, fix) from None
    if len(name) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise rule(reason, fix)
    return name


def _domains(names: list[str]) -> list[str]:
    if len(names) > _MOST_DOMAINS:
        raise rule(f"{len(names)} domains", f"use at most {_MOST_DOMAINS}")
    return distinct(names)


def _cidr(text: str) -> str:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise rule("not a network", "write it as in 10.20.0.0/16, with no bit set behind its prefix") from None
    for block in map(ipaddress.ip_network, _NEVER_A_NETWORK_TO_REACH):
        if network.version == block.version and network.overlaps(block):
            raise rule(f"a network with addresses of a node's own ({block})", "name the server's own network")
    return str(network)


# Names in other scripts are welcome, so that a schema says what can't be in one.
_LETTERS = r"[^\s/:*?@\[\]_.]+"
_DOT = r"[.\u3002\uff0e\uff61]"

Domain = Annotated[
    str,
    AfterValidator(domain),
    Field(
        examples=["lumi.example.com"],
        json_schema_extra={
            "pattern": rf"^{_LETTERS}({_DOT}{_LETTERS})+[.]?$",
            "not": {"pattern": rf"^-|[.]([0-9]+|{'|'.join(_OF_THE_CLUSTER)})[.]?$"},
        },
    ),
]
Domains = Annotated[
    list[Domain], AfterValidator(_domains), Field(json_schema_extra={"uniqueItems": True, "maxItems": _MOST_DOMAINS})
]
Host = Annotated[
    str,
    AfterValidator(host),
    Field(
        examples=["db.example.com"],
        json_schema_extra={"pattern": rf"^({_LETTERS}([.]{_LETTERS})*[.]?|\[?[0-9A-Fa-f:.]+\]?)$"},
    ),
]
Port = Annotated[int, Field(ge=1, le=65535)]
Cidr = Annotated[
    str,
    AfterValidator(_cidr),
    Field(examples=["10.20.0.0/16"], json_schema_extra={"pattern": "^[0-9A-Fa-f:.]+(/[0-9]+)?$"}),
]
