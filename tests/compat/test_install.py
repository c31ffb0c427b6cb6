"""The installer: `import dspy` means telic, its settings are DSPy's, and both can be taken back."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import types
from typing import Any

import pytest

from tests.compat import target

pytestmark = pytest.mark.skipif(target.REAL, reason="is about telic")

if not target.REAL:
    from telic.compat.dspy import NotInThisVersionError, install, installed, uninstall
    from telic.compat.dspy.choices import CHOICES
    from telic.compat.dspy.modules import MODULES
    from telic.runtime.settings import DEFAULTS, settings


def test_the_import_means_telic() -> None:
    import dspy

    import telic

    assert dspy.Predict is telic.Predict
    assert dspy.settings is telic.settings


@pytest.mark.parametrize("path", sorted(MODULES) if not target.REAL else [])
def test_every_module_can_be_imported(path: str) -> None:
    module = importlib.import_module(path)
    assert module.__name__ == path
    assert importlib.util.find_spec(path) is not None
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_names_can_be_imported_from_modules() -> None:
    from dspy.evaluate.metrics import answer_exact_match
    from dspy.primitives.prediction import Prediction
    from dspy.teleprompt import BootstrapFewShot
    from dspy.utils.dummies import DummyLM

    assert all((answer_exact_match, Prediction, BootstrapFewShot, DummyLM))


def test_submodules_are_attributes() -> None:
    import dspy

    assert dspy.teleprompt.LabeledFewShot is dspy.LabeledFewShot
    assert dspy.datasets.gsm8k.gsm8k_metric


def test_a_function_wins_over_a_module_of_its_name() -> None:
    import dspy
    import dspy.streaming.streamify

    assert isinstance(dspy.streaming.streamify, types.FunctionType)
    from dspy.streaming.streamify import streamify

    assert streamify is dspy.streamify


def test_star_import() -> None:
    names: dict[str, Any] = {}
    exec("from dspy.signatures import *", names)
    assert names["Signature"]


def test_a_module_lists_its_names() -> None:
    import dspy

    assert {"Predict", "teleprompt", "__version__"} <= set(dir(dspy))


def test_unknown_names() -> None:
    import dspy

    with pytest.raises(AttributeError):
        _ = dspy.NothingOfTheKind
    with pytest.raises(ImportError):
        importlib.import_module("dspy.nothing_of_the_kind")


def test_settings_are_dspys() -> None:
    assert {name: settings[name] for name in CHOICES} == dict(CHOICES)
    settings.reset()
    assert {name: settings[name] for name in CHOICES} == dict(CHOICES)


def test_what_was_configured_survives_the_installer() -> None:
    uninstall()
    settings.configure(num_threads=3)
    install()
    assert settings.num_threads == 3


def test_installing_twice() -> None:
    install()
    assert installed()


def test_uninstalling() -> None:
    uninstall()
    assert not installed()
    assert {name: settings[name] for name in CHOICES} == {name: DEFAULTS[name] for name in CHOICES}
    assert "dspy" not in sys.modules
    uninstall()
    install()


def test_another_dspy_comes_back() -> None:
    uninstall()
    other = types.ModuleType("dspy")
    sys.modules["dspy"] = other
    try:
        install()
        assert sys.modules["dspy"] is not other
        uninstall()
        assert sys.modules["dspy"] is other
    finally:
        sys.modules.pop("dspy", None)
        install()


ABSENT = ["Flex", "bootstrap_trace_data"]


@pytest.mark.parametrize("name", ABSENT)
def test_what_is_still_to_come_says_so_when_it_is_used(name: str) -> None:
    import dspy

    thing = getattr(dspy, name)
    derived = "class Mine(thing): ..."
    for use in (lambda: thing(metric=None), lambda: thing.compile, lambda: exec(derived, {"thing": thing})):
        with pytest.raises(NotInThisVersionError, match=name):
            use()
    assert name in repr(thing)
    assert not isinstance(5, thing)


def test_top_level_names_without_the_installer() -> None:
    code = "import telic as dspy; print(dspy.Predict('question -> answer').signature.signature)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "question -> answer"


def test_installing_loads_little() -> None:
    code = (
        "import sys; from telic.compat.dspy import install; install(); import dspy; "
        "print([m for m in ('pydantic', 'aiohttp', 'numpy', 'telic.adapters') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
