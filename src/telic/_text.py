"""Normalisation of text, shared by metrics and voting."""

from __future__ import annotations

import re
import string
import unicodedata

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize_text(s: str) -> str:
    """Reduce the text `s` to what counts when answers are compared, as the SQuAD and HotpotQA evaluations do.

    Decomposed (NFD) and lower-cased, without ASCII punctuation and English articles, with single spaces.
    """
    lowered = unicodedata.normalize("NFD", s).lower()
    return " ".join(_ARTICLES.sub(" ", lowered.translate(_PUNCTUATION)).split())
