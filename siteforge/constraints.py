r"""The types of the catalogue's fields, each a rule with its reason and the fix.

A rule that fails raises `PydanticCustomError` with the reason as its message and the fix in its context;
`siteforge.catalogue` adds the place and the value. Grammars are matched against the whole text and in
ASCII, because `$` lets a trailing newline pass and `\d` lets full-width digits pass.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from siteforge import quantities
from siteforge.plans import SMALLEST_CPU, SMALLEST_MEMORY


def rule(reason: str, fix: str) -> PydanticCustomError:
    """The error of a broken rule: why the value is wrong, and what would be right."""
    # Braces are escaped because pydantic formats the message as a template.
    template = reason.replace("{", "{{").replace("}", "}}")
    return PydanticCustomError("siteforge_rule", template, {"fix": fix})


_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_LABEL_FIX = "use 1 to 63 of a-z, 0-9 and '-', with a letter or digit at both ends, as in blog-aku"
_RESERVED_NAMES = frozenset({"default", "siteforge", "local-path-storage"})
_RESERVED_PREFIXES = ("kube-", "openshift-")


def _tenant_name(text: str) -> str:
    # A namespace's name is an RFC 1123 label (kubernetes.io/docs/concepts/overview/working-with-objects/names).
    if not _LABEL.fullmatch(text):
        raise rule("not a valid tenant name", _LABEL_FIX)
    if text in _RESERVED_NAMES or text.startswith(_RESERVED_PREFIXES):
        raise rule("reserved: a namespace of the cluster's own has this name", "choose another name")
    return text


def _namespace_name(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise rule("not the name of a namespace", "see `kubectl get namespaces`")
    return text


def _title(text: str) -> str:
    if not text.strip():
        raise rule("empty title", "write the title that the site shows, as in Aku's notebook")
    if len(text) > 200:
        raise rule(f"title of {len(text)} characters", "use at most 200")
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text):
        raise rule("title with a line break or another control character", "write it on one line")
    return text


# WordPress's is_email() is stricter than RFC 5322: one @, a dotted domain, no quoting.
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]",
    re.ASCII,
)


def _email(text: str) -> str:
    local = text.partition("@")[0]
    dots = local.startswith(".") or local.endswith(".") or ".." in text
    if len(text) > 100 or dots or not _EMAIL.fullmatch(text):
        raise rule("not an e-mail address", "write it as in aku@example.com")
    return text


# The distribution reference grammar (github.com/distribution/reference), with a tag or digest required.
_IMAGE = re.compile(
    r"(?P<name>[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@sha256:(?P<digest>[0-9a-f]{64}))?",
    re.ASCII,
)


def _image(text: str) -> str:
    match = _IMAGE.fullmatch(text)
    if match is None or len(text) > 255:
        raise rule("not an image reference", "write it as in wordpress:6.8.3-php8.3-apache")
    if match["tag"] is None and match["digest"] is None:
        raise rule("image without a tag", "name a fixed version, as in wordpress:6.8.3-php8.3-apache")
    if match["tag"] == "latest" and match["digest"] is None:
        raise rule("the tag latest names another image every week", "name a fixed version")
    return text


_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)


def _storage_class(text: str) -> str:
    if len(text) > 253 or not _SUBDOMAIN.fullmatch(text):
        raise rule("not the name of a storage class", "see `kubectl get storageclass`")
    return text


def _priority_class(text: str) -> str:
    if len(text) > 253 or not _SUBDOMAIN.fullmatch(text):
        raise rule("not the name of a priority class", "see `kubectl get priorityclass`")
    if text.startswith("system-"):
        raise rule("reserved for the cluster's own pods", "use a priority class of yours")
    return text


# Kubernetes' labels (kubernetes.io/docs/concepts/overview/working-with-objects/labels).
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", re.ASCII)


def _label_key(text: str) -> str:
    prefix, slash, name = text.rpartition("/")
    fits = len(prefix) <= 253 and (_SUBDOMAIN.fullmatch(prefix) if slash else True)
    if not (fits and name and _LABEL_VALUE.fullmatch(name)):
        raise rule("not the key of a label", "write it as in disktype or example.com/disktype")
    return text


def _label_value(text: str) -> str:
    if not _LABEL_VALUE.fullmatch(text):
        raise rule("not the value of a label", "use at most 63 of letters, digits, '-', '_' and '.'")
    return text


def _subject(text: str) -> str:
    if not text or text != text.strip() or not text.isprintable() or len(text) > 253:
        raise rule("not a name", "write it as the cluster's authentication gives it, as in aku@example.com")
    if text.startswith("system:"):
        raise rule("reserved: Kubernetes' own, some of which everybody is", "name a person or a group of yours")
    return text


def _distinct(subjects: list[str]) -> list[str]:
    if twice := sorted({name for name in subjects if subjects.count(name) > 1}):
        raise rule(f"{twice[0]} twice", "write each once")
    return subjects


def _number_as_text(value: Any) -> Any:
    # `cpu: 1` and `cpu: 0.5` are numbers in YAML and quantities in Kubernetes.
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


def _quantity(lowest: str, highest: str, example: str) -> Callable[[str], str]:
    """A rule that a quantity is within bounds; returns its canonical form."""
    bounds: tuple[Fraction, Fraction] = (quantities.parse(lowest), quantities.parse(highest))

    def check(text: str) -> str:
        try:
            value = quantities.parse(text)
        except ValueError as error:
            raise rule(str(error), f"write it as in {example}") from error
        if value < bounds[0]:
            hint = f"write it as in {example}"
            if text.endswith("m") and not example.endswith("m"):
                hint = f"m means thousandths; did you mean {text}i?".replace("mi", "Mi")
            raise rule(f"less than {lowest}", hint)
        if value > bounds[1]:
            raise rule(f"more than {highest}", f"write it as in {example}")
        return quantities.canonical(text)

    return check


TenantName = Annotated[str, AfterValidator(_tenant_name), Field(examples=["blog-aku"])]
NamespaceName = Annotated[str, AfterValidator(_namespace_name), Field(examples=["ingress-nginx"])]
Title = Annotated[str, AfterValidator(_title), Field(examples=["Aku's notebook"])]
Email = Annotated[str, AfterValidator(_email), Field(examples=["aku@example.com"])]
Image = Annotated[str, AfterValidator(_image), Field(examples=["wordpress:6.8.3-php8.3-apache"])]
StorageClassName = Annotated[str, AfterValidator(_storage_class), Field(examples=["local-path"])]
PriorityClassName = Annotated[str, AfterValidator(_priority_class), Field(examples=["business"])]
LabelKey = Annotated[str, AfterValidator(_label_key), Field(examples=["dedicated"])]
LabelValue = Annotated[str, AfterValidator(_label_value), Field(examples=["wordpress"])]
NodeSelector = dict[LabelKey, LabelValue]
Subject = Annotated[str, AfterValidator(_subject), Field(examples=["aku@example.com"])]
Subjects = Annotated[list[Subject], AfterValidator(_distinct)]
Cpu = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_quantity(SMALLEST_CPU, "256", "250m"))]
Memory = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_quantity(SMALLEST_MEMORY, "4Ti", "512Mi"))]
Storage = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_quantity("64Mi", "64Ti", "5Gi"))]
Replicas = Annotated[int, Field(ge=1, le=20, examples=[3])]
CredentialsVersion = Annotated[int, Field(ge=1, le=1_000_000)]
Utilization = Annotated[int, Field(ge=10, le=1000)]
Seconds = Annotated[int, Field(ge=0, le=86400)]
ClusterCpu = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_quantity("1", "1000000", "64"))]
ClusterBytes = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_quantity("1Gi", "1Ei", "256Gi"))]
AccessMode = Literal["ReadWriteOnce", "ReadWriteMany"]
