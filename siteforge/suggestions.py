"""The nearest known word to one that is not known."""

import difflib
from collections.abc import Iterable


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """The fix for a word that is not one of `known`: the nearest one, or all of them."""
    choices = list(known)
    near = difflib.get_close_matches(text, choices, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"use one of {', '.join(choices)}"
