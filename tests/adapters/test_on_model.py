"""The embedded model takes the grammars, and what it writes under them is valid."""

from typing import Literal

import pytest

from telic.adapters import CompletionAdapter, JSONAdapter
from telic.types import Request

from .declared import Color, Level, Person, Tree, signature_of
from .test_grammar import ADAPTERS, TYPES

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def engine(weights):
    pytest.importorskip("xllamacpp")
    from telic.lm.embedded.engine import EmbeddedEngine

    engine = EmbeddedEngine(str(weights / "smollm2-135m.gguf"), n_ctx=2048)
    yield engine
    engine.close()


def ask(engine, rendered, max_tokens, prompt=None):
    params = {"max_tokens": max_tokens, "temperature": 0.8, "seed": 1, **rendered.params}
    request = Request(
        model="local/smollm2-135m",
        messages=None if prompt else rendered.messages,
        prompt=prompt or rendered.prompt,
        params=params,
        constraint=rendered.constraint,
    )
    return engine.complete(request).choices[0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_the_engine_takes_every_grammar(engine, kind):
    signature = signature_of({"out": kind, "n": int})
    for adapter, capabilities in ADAPTERS:
        rendered = adapter.render(signature, [], {"question": "?"}, capabilities)
        assert ask(engine, rendered, 1, prompt="Data: ").finish_reason in ("length", "stop")


@pytest.mark.parametrize(
    "outputs",
    [
        {"label": Literal["billing", "refund request", "other"]},
        {"reasoning": (str, {"max_length": 40}), "level": Level, "sure": bool},
        {"color": Color, "count": (int, {"ge": 1, "le": 5}), "share": float | None},
        {"pair": tuple[int, bool], "mood": Literal["good", "bad"] | None},
    ],
    ids=str,
)
def test_a_constrained_answer_is_valid(engine, outputs):
    signature = signature_of(outputs, instructions="Judge the message.", message=str)
    for adapter in (CompletionAdapter(), JSONAdapter()):
        rendered = adapter.render(signature, [], {"message": "I was charged twice!"}, engine.capabilities)
        choice = ask(engine, rendered, 100)
        assert choice.finish_reason == "stop"
        assert set(adapter.read(signature, choice.text)) == set(outputs)


def test_a_number_ends_where_the_model_ends_its_line(engine):
    signature = signature_of({"sum": int}, instructions="Add.", numbers=str)
    demos = [{"numbers": "1 and 1", "sum": 2}, {"numbers": "4 and 4", "sum": 8}]
    adapter = CompletionAdapter()
    rendered = adapter.render(signature, demos, {"numbers": "2 and 2"}, engine.capabilities)
    choice = ask(engine, rendered, 30)
    assert choice.finish_reason == "stop"
    assert 0 <= adapter.read(signature, choice.text)["sum"] < 100


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Person, list[Person], Tree], ids=str)
def test_nested_data_is_valid_or_was_cut(engine, kind):
    signature = signature_of({"out": kind})
    adapter = CompletionAdapter()
    rendered = adapter.render(signature, [], {"question": "Invent one."}, engine.capabilities)
    choice = ask(engine, rendered, 120)
    if choice.finish_reason == "stop":
        assert adapter.read(signature, choice.text)
    else:
        assert choice.text.lstrip()[0] in "[{"
