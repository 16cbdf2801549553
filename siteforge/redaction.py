"""Takes derived secrets out of a text, without knowing any: each carries a mark (secrets.py).

They are found as they are and in base64, at whatever place of the text that was encoded, and URL-encoded in
either form: that is how Kubernetes and Pulumi write them.
"""

import base64
import re

from siteforge.secrets import MARK

REDACTED = "[secret]"
"""What Pulumi writes for a secret, too."""

_PLAIN = re.compile(rf"{MARK}[A-Za-z0-9_-]+")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]|%2[BbFf]){8,}(?:=|%3[Dd]){0,2}")


def _encoded_mark() -> tuple[str, ...]:
    """The mark in base64: what is the same of it whatever stands around it, for each of three alignments."""
    parts = []
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + MARK.encode()).decode()
        # A character stands for six bits: those that the mark fills whole.
        first, last = -(-before * 8 // 6), (before + len(MARK)) * 8 // 6
        parts.append(encoded[first:last])
    return tuple(parts)


_ENCODED_MARK = _encoded_mark()


def redact(text: str) -> str:
    """The text with REDACTED for each derived secret in it."""
    return _BASE64.sub(_of_base64, _PLAIN.sub(REDACTED, text))


def _of_base64(found: re.Match[str]) -> str:
    return REDACTED if any(part in found[0] for part in _ENCODED_MARK) else found[0]
