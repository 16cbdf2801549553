"""Kubernetes quantities: `250m` of CPU, `512Mi` of memory.

The API server stores a quantity in its canonical form (`1000m` as `1`, `1024Mi` as `1Gi`). Specs must
hold that form too, or every refresh would show a difference that is none. The grammar and the canonical
form are those of k8s.io/apimachinery/pkg/api/resource, without its exponents (`1e3`), which nobody
writes by hand and many misread.
"""

import functools
import re
from fractions import Fraction

_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {
    "m": Fraction(1, 1000),
    "": Fraction(1),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "P": Fraction(10**15),
    "E": Fraction(10**18),
}
_GRAMMAR = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)(?P<suffix>[KMGTPE]i|[mkMGTPE]?)", re.ASCII)
_LARGEST = 2**63 - 1
"""The API server caps quantities here (int64)."""

MEBIBYTE = 2**20


@functools.lru_cache(maxsize=4096)  # a fleet has few different ones
def parse(text: str) -> Fraction:
    """The value of a quantity: cores for CPU, bytes for memory and storage.

    Raises:
        ValueError: the text is no quantity, has an exponent or a sign, or is out of range.
    """
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        raise ValueError("not a Kubernetes quantity")
    suffix = match["suffix"]
    scale = Fraction(_BINARY[suffix]) if suffix in _BINARY else _DECIMAL[suffix]
    value = Fraction(match["number"]) * scale
    if value > _LARGEST:
        raise ValueError("larger than Kubernetes can count")
    if (value * 1000).denominator != 1:
        raise ValueError("finer than a thousandth")
    return value


@functools.lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """The same quantity as the API server writes it, with the largest suffix that needs no fraction."""
    value = parse(text)
    if text.endswith("i") and value.denominator == 1:
        return _with_largest_suffix(value, {"": Fraction(1)} | {s: Fraction(n) for s, n in _BINARY.items()})
    return _with_largest_suffix(value, _DECIMAL)


def cpu(cores: Fraction) -> str:
    """A CPU quantity, rounded up to a thousandth of a core."""
    return canonical(f"{_ceiling(cores * 1000)}m")


def memory(size: Fraction) -> str:
    """A memory or storage quantity of `size` bytes, rounded up to a mebibyte."""
    return canonical(f"{_ceiling(size / MEBIBYTE)}Mi")


def _with_largest_suffix(value: Fraction, suffixes: dict[str, Fraction]) -> str:
    if value == 0:
        return "0"
    fitting = [(scale, suffix) for suffix, scale in suffixes.items() if (value / scale).denominator == 1]
    scale, suffix = max(fitting)
    return f"{value / scale}{suffix}"


def _ceiling(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
