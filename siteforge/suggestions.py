"""The nearest known word to one that is not known."""

import difflib
from collections.abc import Iterable

_LONGEST = 50
"""Characters; a longer word is no misspelling, and comparing it takes time."""

_MOST = 40
"""Words that are told; a fleet has thousands of names, and nobody would find the message among them."""


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """The fix for a word that is not one of `known`: the nearest one, whatever its case, or the first of all."""
    choices = {choice.casefold(): choice for choice in known}
    near = difflib.get_close_matches(text[:_LONGEST].casefold(), choices, n=1, cutoff=0.6)
    if near:
        return f"did you mean {choices[near[0]]}?"
    more = len(choices) - _MOST
    told = ", ".join(list(choices.values())[:_MOST])
    return f"use one of {told}{f', or of {more:,} more' if more > 0 else ''}"
