r"""The types of the catalogue's fields, each a rule with its reason and the fix.

A rule that fails raises `PydanticCustomError` with the reason as its message and the fix in its context;
`siteforge.violations` adds the place and the value. Grammars are matched against the whole text and in
ASCII, because `$` lets a trailing newline pass and `\d` lets full-width digits pass. What JSON Schema can
say of a rule stands beside it, for editors; the rule itself decides.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from siteforge import quantities
from siteforge.names import DATABASE, WORDPRESS
from siteforge.plans import SMALLEST_CPU, SMALLEST_MEMORY


def rule(reason: str, fix: str) -> PydanticCustomError:
    """The error of a broken rule: why the value is wrong, and what would be right."""
    # Braces are escaped because pydantic formats the message as a template.
    template = reason.replace("{", "{{").replace("}", "}}")
    return PydanticCustomError("siteforge_rule", template, {"fix": fix})


def pattern(grammar: str) -> str:
    """A grammar of this module as a regular expression of JSON Schema, which spells named groups otherwise."""
    return f"^({re.sub('[?]P<[a-z]+>', '', grammar)})$"


_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_LABEL_FIX = "use 1 to 63 of a-z, 0-9 and '-', with a letter or digit at both ends, as in blog-aku"
_RESERVED_NAMES = ("default", "siteforge", "local-path-storage")
_RESERVED_PREFIXES = ("kube-", "openshift-")


def _tenant_name(text: str) -> str:
    # A namespace's name is an RFC 1123 label (kubernetes.io/docs/concepts/overview/working-with-objects/names).
    if not re.fullmatch(_LABEL, text):
        raise rule("not a valid tenant name", _LABEL_FIX)
    if text in _RESERVED_NAMES or text.startswith(_RESERVED_PREFIXES):
        raise rule("reserved: a namespace of the cluster's own has this name", "choose another name")
    return text


def _namespace_name(text: str) -> str:
    if not re.fullmatch(_LABEL, text):
        raise rule("not the name of a namespace", "see `kubectl get namespaces`")
    return text


CONTROL = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
_TITLE_LENGTH = 200


def _title(text: str) -> str:
    if not re.search(r"\S", text):
        raise rule("empty title", "write the title that the site shows, as in Aku's notebook")
    if len(text) > _TITLE_LENGTH:
        raise rule(f"title of {len(text)} characters", f"use at most {_TITLE_LENGTH}")
    if re.search(f"[{CONTROL}]", text):
        raise rule("title with a line break or another control character", "write it on one line")
    return text


# WordPress's is_email() is stricter than RFC 5322: one @, a dotted domain, no quoting.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_HOST_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = rf"{_ATOM}(\.{_ATOM})*@({_HOST_LABEL}\.)+[A-Za-z]([A-Za-z0-9-]{{0,61}}[A-Za-z0-9])"
_EMAIL_LENGTH = 100
"""The column of WordPress's table of users."""


def _email(text: str) -> str:
    if len(text) > _EMAIL_LENGTH or len(text.partition("@")[0]) > 64 or not re.fullmatch(_EMAIL, text):
        raise rule("not an e-mail address", "write it as in aku@example.com")
    return text


# The grammar of github.com/distribution/reference: a first part with a port is a registry.
_REGISTRY = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?"
_REPOSITORY = r"[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*"
_IMAGE_NAME = rf"(?P<name>({_REGISTRY}/)?{_REPOSITORY}(/{_REPOSITORY})*)"
_TAG = r":(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})"
_DIGEST = r"@(?P<digest>sha256:[0-9a-f]{64})"
_IMAGE_NAME_LENGTH = 255
_IMAGE_LENGTH = _IMAGE_NAME_LENGTH + 129 + 72


def _image(text: str) -> str:
    # The length comes first: matching a text of a mebibyte would take time.
    match = re.fullmatch(f"{_IMAGE_NAME}({_TAG})?({_DIGEST})?", text) if len(text) <= _IMAGE_LENGTH else None
    if match is None or len(match["name"]) > _IMAGE_NAME_LENGTH:
        raise rule("not an image reference", "write it as in wordpress:6.8.3-php8.3-apache")
    if match["tag"] is None and match["digest"] is None:
        raise rule("image without a tag", "name a fixed version, as in wordpress:6.8.3-php8.3-apache")
    if match["tag"] == "latest" and match["digest"] is None:
        raise rule("the tag latest names another image every week", "name a fixed version")
    return text


_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_SUBDOMAIN_LENGTH = 253
_GATEWAY = f"{_LABEL}/{_SUBDOMAIN}"
_OWN_SECRETS = (WORDPRESS, DATABASE)
_DATABASE_NAME = r"[A-Za-z0-9_][A-Za-z0-9_$-]{0,63}"


def _named(what: str, fix: str) -> Callable[[str], str]:
    """A rule that a text can name an object of Kubernetes."""

    def check(text: str) -> str:
        if len(text) > _SUBDOMAIN_LENGTH or not re.fullmatch(_SUBDOMAIN, text):
            raise rule(f"not the name of {what}", fix)
        return text

    return check


def _gateway(text: str) -> str:
    if len(text) > _SUBDOMAIN_LENGTH or not re.fullmatch(_GATEWAY, text):
        raise rule("not a gateway", "write its namespace and name, as in edge/public; see `kubectl get gateway -A`")
    return text


def _secret_name(text: str) -> str:
    if text in _OWN_SECRETS:
        raise rule("the name of a secret that Siteforge itself makes", "choose another name, as in lumi-tls")
    return _named("a secret", "use a-z, 0-9, '-' and '.', as in lumi-tls")(text)


def _database_name(text: str) -> str:
    if not re.fullmatch(_DATABASE_NAME, text):
        raise rule("not the name of a database", "use at most 64 of letters, digits, '_', '-' and '$'")
    return text


def _login(text: str) -> str:
    if not text or len(text) > _SUBJECT_LENGTH or text != text.strip() or not text.isprintable():
        raise rule("not the name of a user", "write it as the server's administrator gave it")
    return text


def _priority_class(text: str) -> str:
    _named("a priority class", "see `kubectl get priorityclass`")(text)
    if text.startswith("system-"):
        raise rule("reserved for the cluster's own pods", "use a priority class of yours")
    return text


# Kubernetes' labels (kubernetes.io/docs/concepts/overview/working-with-objects/labels).
_LABEL_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_LABEL_KEY = rf"((?P<prefix>{_SUBDOMAIN})/)?{_LABEL_NAME}"
_LABEL_KEY_LENGTH = _SUBDOMAIN_LENGTH + 1 + 63
_LABEL_VALUE = f"({_LABEL_NAME})?"


def _label_key(text: str) -> str:
    match = re.fullmatch(_LABEL_KEY, text) if len(text) <= _LABEL_KEY_LENGTH else None
    if match is None or len(match["prefix"] or "") > _SUBDOMAIN_LENGTH:
        raise rule("not the key of a label", "write it as in disktype or example.com/disktype")
    return text


def _label_value(text: str) -> str:
    if not re.fullmatch(_LABEL_VALUE, text):
        fix = "use at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends"
        raise rule("not the value of a label", fix)
    return text


_SUBJECT_LENGTH = 253


def _subject(text: str) -> str:
    if not text or text != text.strip() or not text.isprintable() or len(text) > _SUBJECT_LENGTH:
        raise rule("not a name", "write it as the cluster's authentication gives it, as in aku@example.com")
    if text.startswith("system:"):
        raise rule("reserved: Kubernetes' own, some of which everybody is", "name a person or a group of yours")
    return text


def distinct(subjects: list[str]) -> list[str]:
    """The same list, if nothing is in it twice.

    Raises:
        PydanticCustomError: something is.
    """
    seen: set[str] = set()
    for subject in subjects:
        if subject in seen:
            raise rule(f"{subject} twice", "write each once")
        seen.add(subject)
    return subjects


_CPU = r"[0-9]+(\.[0-9]+)?m?"
BYTES = r"[0-9]+(\.[0-9]+)?([KMGTPE]i|[kMGTPE])?"
_QUANTITY_LENGTH = 50


def quantity(what: str, grammar: str, lowest: str, highest: str, example: str) -> tuple[BeforeValidator, Any]:
    """A rule that a value is a quantity within bounds, and its schema; the value becomes canonical."""
    least, most = quantities.parse(lowest), quantities.parse(highest)
    finest = Fraction(1, 1000) if grammar == _CPU else Fraction(1)
    fix = f"write it as in {example}"

    def check(value: Any) -> str:
        # `cpu: 1` and `cpu: 0.5` are numbers in YAML and quantities in Kubernetes.
        text = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
        if len(text) > _QUANTITY_LENGTH or not re.fullmatch(grammar, text):
            # 512m is half a byte.
            hint = f"did you mean {text[:-1]}Mi?" if re.fullmatch("[0-9]{1,6}m", text) else fix
            raise rule(f"not {what}", hint)
        try:
            amount = quantities.parse(text)
        except ValueError as error:
            raise rule(str(error), fix) from error
        if amount < least:
            raise rule(f"less than {lowest}", fix)
        if amount > most:
            raise rule(f"more than {highest}", fix)
        if amount % finest:
            raise rule("a fraction of a byte", fix)
        return quantities.canonical(text)

    # Strings are bounded by the pattern alone, numbers by the bounds alone.
    schema: dict[str, Any] = {
        "type": ["string", "number" if finest < 1 else "integer"],
        "pattern": pattern(grammar),
        "maxLength": _QUANTITY_LENGTH,
        "minimum": float(least) if finest < 1 else int(least),
        "maximum": int(most),
    }
    return BeforeValidator(check), Field(examples=[example], json_schema_extra=schema)


_OBJECT_NAME: dict[str, Any] = {"pattern": pattern(_SUBDOMAIN), "maxLength": _SUBDOMAIN_LENGTH}
"""What JSON Schema can say of a name of an object of Kubernetes; the rule is `_named`."""

TenantName = Annotated[
    str,
    AfterValidator(_tenant_name),
    Field(
        examples=["blog-aku"],
        json_schema_extra={
            "pattern": pattern(_LABEL),
            "not": {"pattern": f"^(({'|'.join(_RESERVED_NAMES)})$|{'|'.join(_RESERVED_PREFIXES)})"},
        },
    ),
]
NamespaceName = Annotated[
    str,
    AfterValidator(_namespace_name),
    Field(examples=["ingress-nginx"], json_schema_extra={"pattern": pattern(_LABEL)}),
]
IngressClassName = Annotated[
    str,
    AfterValidator(_named("an ingress class", "see `kubectl get ingressclass`")),
    Field(examples=["nginx"], json_schema_extra=_OBJECT_NAME),
]
GatewayName = Annotated[
    str,
    AfterValidator(_gateway),
    Field(examples=["edge/public"], json_schema_extra={"pattern": pattern(_GATEWAY), "maxLength": _SUBDOMAIN_LENGTH}),
]
SecretName = Annotated[
    str,
    AfterValidator(_secret_name),
    Field(
        examples=["lumi-tls"],
        json_schema_extra={
            **_OBJECT_NAME,
            "not": {"enum": list(_OWN_SECRETS)},
        },
    ),
]
IssuerName = Annotated[
    str,
    AfterValidator(_named("an issuer", "see `kubectl get clusterissuer`")),
    Field(examples=["letsencrypt"], json_schema_extra=_OBJECT_NAME),
]
DatabaseName = Annotated[
    str,
    AfterValidator(_database_name),
    Field(examples=["lumi"], json_schema_extra={"pattern": pattern(_DATABASE_NAME)}),
]
Login = Annotated[
    str,
    AfterValidator(_login),
    Field(
        examples=["lumi"],
        json_schema_extra={
            "pattern": rf"^[^{CONTROL}\s]([^{CONTROL}]*[^{CONTROL}\s])?$",
            "maxLength": _SUBJECT_LENGTH,
        },
    ),
]
Title = Annotated[
    str,
    AfterValidator(_title),
    Field(
        examples=["Aku's notebook"],
        json_schema_extra={
            "pattern": rf"^[^{CONTROL}]*[^{CONTROL}\s][^{CONTROL}]*$",
            "maxLength": _TITLE_LENGTH,
        },
    ),
]
Email = Annotated[
    str,
    AfterValidator(_email),
    Field(
        examples=["aku@example.com"],
        json_schema_extra={"pattern": pattern(_EMAIL), "maxLength": _EMAIL_LENGTH},
    ),
]
Image = Annotated[
    str,
    AfterValidator(_image),
    Field(
        examples=["wordpress:6.8.3-php8.3-apache"],
        json_schema_extra={
            "pattern": pattern(f"{_IMAGE_NAME}({_TAG}({_DIGEST})?|{_DIGEST})"),
            "maxLength": _IMAGE_LENGTH,
            "not": {"pattern": ":latest$"},
        },
    ),
]
StorageClassName = Annotated[
    str,
    AfterValidator(_named("a storage class", "see `kubectl get storageclass`")),
    Field(
        examples=["local-path"],
        json_schema_extra=_OBJECT_NAME,
    ),
]
PriorityClassName = Annotated[
    str,
    AfterValidator(_priority_class),
    Field(
        examples=["business"],
        json_schema_extra={
            **_OBJECT_NAME,
            "not": {"pattern": "^system-"},
        },
    ),
]
LabelKey = Annotated[
    str,
    AfterValidator(_label_key),
    Field(
        examples=["dedicated"],
        json_schema_extra={"pattern": pattern(_LABEL_KEY), "maxLength": _LABEL_KEY_LENGTH},
    ),
]
LabelValue = Annotated[
    str,
    AfterValidator(_label_value),
    Field(examples=["wordpress"], json_schema_extra={"pattern": pattern(_LABEL_VALUE)}),
]
NodeSelector = dict[LabelKey, LabelValue]
Subject = Annotated[
    str,
    AfterValidator(_subject),
    Field(
        examples=["aku@example.com"],
        json_schema_extra={
            "pattern": rf"^[^{CONTROL}\s]([^{CONTROL}]*[^{CONTROL}\s])?$",
            "maxLength": _SUBJECT_LENGTH,
            "not": {"pattern": "^system:"},
        },
    ),
]
Subjects = Annotated[list[Subject], AfterValidator(distinct), Field(json_schema_extra={"uniqueItems": True})]
Cpu = Annotated[str, *quantity("an amount of CPU", _CPU, SMALLEST_CPU, "256", "250m")]
Memory = Annotated[str, *quantity("an amount of memory", BYTES, SMALLEST_MEMORY, "4Ti", "512Mi")]
Storage = Annotated[str, *quantity("an amount of storage", BYTES, "64Mi", "64Ti", "5Gi")]
ClusterCpu = Annotated[str, *quantity("an amount of CPU", _CPU, "1", "1000000", "64")]
ClusterBytes = Annotated[str, *quantity("an amount of bytes", BYTES, "1Gi", "1Ei", "256Gi")]
Replicas = Annotated[int, Field(ge=1, le=20, examples=[3])]
CredentialsVersion = Annotated[int, Field(ge=1, le=1_000_000)]
Utilization = Annotated[int, Field(ge=10, le=1000)]
Seconds = Annotated[int, Field(ge=0, le=86400)]
AccessMode = Literal["ReadWriteOnce", "ReadWriteMany"]
PullPolicy = Literal["Always", "IfNotPresent"]
