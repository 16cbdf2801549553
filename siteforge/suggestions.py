"""The nearest known word to one that is not known."""

import difflib
from collections.abc import Iterable

_LONGEST = 50
"""Characters; a longer word is no misspelling, and comparing it takes time."""


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """The fix for a word that is not one of `known`: the nearest one, whatever its case, or all of them."""
    choices = {choice.casefold(): choice for choice in known}
    near = difflib.get_close_matches(text[:_LONGEST].casefold(), choices, n=1, cutoff=0.6)
    return f"did you mean {choices[near[0]]}?" if near else f"use one of {', '.join(choices.values())}"
