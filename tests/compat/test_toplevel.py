"""`import telic as dspy`: a program that uses top-level names needs nothing else."""

from __future__ import annotations

import dataclasses

import pytest

from tests.compat import manifest, target
from tests.compat.test_manifest import owner

pytestmark = pytest.mark.skipif(target.REAL, reason="is about telic")


def _of_telic(fact: manifest.Fact) -> manifest.Fact | None:
    """The fact by the name `telic` instead of `dspy`; `None` for what is in a submodule."""
    from telic.compat.dspy.modules import MODULES

    within = ".".join(fact.path.split(".")[:2]) in MODULES
    if within or fact.path in manifest.COMPATIBLE_ANYWAY:
        return None
    return dataclasses.replace(fact, path="telic" + fact.path.removeprefix("dspy"))


def test_every_top_level_name_is_there_and_compatible() -> None:
    wanted = [made for fact in manifest.facts() if (made := _of_telic(fact)) and not owner(fact)]
    problems = {fact.path: why for fact in wanted if (why := manifest.problem(fact))}
    assert not problems
    assert len(wanted) > 200


def test_names_still_to_come_say_so() -> None:
    import telic
    from telic.compat.dspy.absent import ABSENT
    from telic.compat.dspy.modules import MODULES

    for name in set(ABSENT) & set(MODULES["dspy"].split()):
        with pytest.raises(NotImplementedError, match=name):
            getattr(telic, name)()


def test_historical_names_are_found_but_not_listed() -> None:
    import telic

    assert telic.DSPyError is telic.TelicError  # type: ignore[attr-defined]
    assert telic.teleprompt.LabeledFewShot is telic.LabeledFewShot  # type: ignore[attr-defined]
    assert "DSPyError" not in dir(telic)
    assert not hasattr(telic, "Predikt")
