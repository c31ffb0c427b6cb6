"""Every way that a user gets it wrong has an error of its own, which names the place and the remedy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import telic
from telic.testing.server import LocalServer

ANSWER = "[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]"


def lm(server: LocalServer, **options: Any) -> telic.LM:
    return telic.LM("openai/test", api_base=server.url, **{"api_key": "right", "num_retries": 0, **options})


@pytest.fixture
def ask() -> Any:
    return telic.Predict("question -> answer")


def raised(kind: type[Exception], call: Callable[[], Any], *said: str) -> None:
    """`call` raises exactly `kind`, and its message has every one of `said`."""
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    for part in said:
        assert part in str(caught.value)


def test_a_signature_that_does_not_parse() -> None:
    raised(telic.SignatureSyntaxError, lambda: telic.Predict("question answer"), "after 'question'", "^")
    raised(telic.SignatureSyntaxError, lambda: telic.Predict("question -> answer: list["), "list[")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda ask: ask(qestion="hm?"), ("qestion", "question")),
        (lambda ask: ask(), ("question",)),
        (lambda ask: ask("What is it?"), ("keyword", "question=")),
    ],
    ids=["unknown", "missing", "positional"],
)
def test_inputs_that_do_not_fit(ask: Any, call: Callable[[Any], Any], said: tuple[str, ...]) -> None:
    with LocalServer(ANSWER) as server, telic.context(lm=lm(server)):
        raised(telic.InputError, lambda: call(ask), *said)
        assert server.count == 0


def test_no_lm(ask: Any) -> None:
    raised(telic.LMNotConfiguredError, lambda: ask(question="?"), "telic.configure(lm=")


def test_nobody_at_the_address(ask: Any) -> None:
    dead = telic.LM("openai/test", api_base="http://127.0.0.1:9/v1", api_key="k", num_retries=0)
    with telic.context(lm=dead):
        raised(telic.LMTransportError, lambda: ask(question="?"), "127.0.0.1:9")


def test_a_wrong_key_is_named_by_its_place_and_never_shown(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    secret = "sk-wrong-but-secret-0123456789"
    with LocalServer(ANSWER, api_key="right") as server, telic.context(lm=lm(server, api_key=secret)):
        with pytest.raises(telic.LMAuthError) as caught:
            ask(question="?")
        assert caught.value.status == 401
        assert "key" in str(caught.value)
        assert secret not in str(caught.value)


@pytest.mark.parametrize("name", ["local/no-such-model", "local/nowhere/model.gguf"])
def test_a_model_without_weights(ask: Any, name: str) -> None:
    with telic.context(lm=telic.LM(name)):
        raised(telic.ModelWeightsError, lambda: ask(question="?"), "telic models list", ".gguf")


@pytest.mark.model
def test_a_prompt_longer_than_the_window(ask: Any) -> None:
    small = telic.LM("local/smollm2-135m", engine_options={"n_ctx": 512})
    with telic.context(lm=small):
        raised(telic.ContextWindowExceededError, lambda: ask(question="why? " * 2000), "tokens", "512")


def exact(example: Any, prediction: Any, trace: Any = None) -> bool:
    return bool(example.answer == prediction.answer)


def devset() -> list[telic.Example]:
    return [telic.Example(question="Capital of France?", answer="Paris").with_inputs("question")]


def test_an_empty_devset(ask: Any) -> None:
    raised(telic.DataError, lambda: telic.Evaluate(devset=[], metric=exact)(ask), "empty")


def test_examples_without_inputs(ask: Any) -> None:
    bare = [telic.Example(question="?", answer="Paris")]
    raised(telic.DataError, lambda: telic.Evaluate(devset=bare, metric=exact)(ask), "with_inputs")


def test_a_metric_of_the_wrong_arity_costs_nothing(ask: Any) -> None:
    with LocalServer(ANSWER) as server, telic.context(lm=lm(server)):
        evaluate = telic.Evaluate(devset=devset(), metric=lambda prediction: True)
        raised(telic.MetricError, lambda: evaluate(ask), "metric(example, prediction")
        assert server.count == 0


@pytest.fixture
def saved(ask: Any, tmp_path: Path) -> Path:
    path = tmp_path / "program.json"
    ask.save(path)
    return path


def test_a_missing_program_file(ask: Any, tmp_path: Path) -> None:
    raised(telic.ProgramFileMissingError, lambda: ask.load(tmp_path / "gone.json"), "gone.json")


def test_a_damaged_program_file(ask: Any, saved: Path) -> None:
    saved.write_text(saved.read_text()[:-20])
    raised(telic.ProgramFileError, lambda: ask.load(saved), "program.json", "damaged", "line")


def test_a_program_file_of_another_version(ask: Any, saved: Path) -> None:
    row = json.loads(saved.read_text())
    row["telic"]["format"] = 99
    saved.write_text(json.dumps(row))
    raised(telic.ProgramFileError, lambda: ask.load(saved), "99", "Upgrade")


def test_a_program_file_of_another_program(saved: Path) -> None:
    other = telic.Predict("text -> label")
    raised(telic.ProgramFileError, lambda: other.load(saved), "program.json", "question", "label")
    raised(telic.ProgramMismatchError, lambda: telic.ChainOfThought("a -> b").load(saved), "predict", "self")


def test_what_fails_to_load_changes_nothing(ask: Any, saved: Path) -> None:
    other = telic.Predict("text -> label")
    before = other.dump_state()
    with pytest.raises(telic.ProgramFileError):
        other.load(saved)
    assert other.dump_state() == before
