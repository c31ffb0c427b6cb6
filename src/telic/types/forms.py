"""In which forms answers are read: a choice of the process, for adapters, which see no settings."""

from __future__ import annotations


class Forms:
    """The choice.

    Attributes:
        strict: an answer counts only in the form that was asked for; else in another one too where no doubt
            is left: an object instead of sections, a value without any mark for the only field.
    """

    strict = False
