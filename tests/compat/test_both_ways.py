"""Each choice between DSPy's documented way and telic's own, both ways (docs/from-dspy.md has the table)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compat import target
from tests.compat.scripts import chat, markers, served
from tests.compat.target import dspy

pytestmark = pytest.mark.skipif(target.REAL, reason="is about telic")

if not target.REAL:
    import telic
    from telic.compat.dspy import uninstall
    from telic.compat.dspy.choices import CHOICES
    from telic.testing import DummyLM, reset

DEVSET = [dspy.Example(question=str(n), answer="a").with_inputs("question") for n in range(4)]


def outcome(call: Callable[[], Any]) -> Any:
    """What a call gives, or the name of what it raises."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - what is raised is what is compared
        return type(error).__name__


def both(call: Callable[[], Any]) -> tuple[Any, Any]:
    """The outcome with DSPy's names, then without."""
    with_names = outcome(call)
    uninstall()
    reset()
    return with_names, outcome(call)


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    yield
    if not target.REAL:
        reset()


def answered(signature: str = "question -> answer", **inputs: Any) -> Any:
    with telic.context(lm=DummyLM([{"answer": "a"}])):
        return telic.Predict(signature)(**(inputs or {"question": "?"})).answer


def always(example: Any, prediction: Any, trace: Any = None) -> bool:
    return True


class Fails(dspy.Module):  # type: ignore[misc,unused-ignore]
    """Raises what is no telic error, so often."""

    def __init__(self, times: int = 100) -> None:
        super().__init__()
        self.left = [times]

    def forward(self, question: str) -> Any:
        FAILED.append(question)
        if len(FAILED) <= self.left[0]:
            raise KeyError(question)
        return dspy.Prediction(answer="a")


FAILED: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_failed() -> None:
    FAILED.clear()


def test_unfit_inputs() -> None:
    assert both(lambda: answered("question, hint -> answer", question="?")) == ("a", "InputError")


def test_unreadable_answers() -> None:
    def ask() -> list[bool]:
        replies = ["nonsense {", json.dumps({"answer": "a", "more": "b"})]
        with served(replies) as (server, lm), telic.context(lm=lm):
            telic.Predict("question -> answer, more")(question="?")
            return ["response_format" in body for body in server.bodies]

    assert both(ask) == ([False, True], [False, False])


def test_errors_in_evaluations() -> None:
    def score() -> float:
        FAILED.clear()
        return float(telic.Evaluate(devset=DEVSET, metric=always, num_threads=1)(Fails(2)).score)

    assert both(score) == (50.0, 100.0)


@pytest.mark.parametrize(("most", "expected"), [(1, ("EvaluationError",) * 2), (4, ("EvaluationError", 4))])
def test_where_errors_end_a_run(most: int, expected: tuple[Any, Any]) -> None:
    pairs = [(Fails(), {"question": "?"})] * 4
    assert both(lambda: len(telic.Parallel(num_threads=1, max_errors=most)(pairs))) == expected


def test_async_tools_in_sync_code() -> None:
    async def double(x: int) -> int:
        return 2 * x

    assert both(lambda: telic.Tool(double)(x=2)) == ("InputError", 4)


def test_traces_and_histories() -> None:
    def traced() -> Any:
        answered()
        return telic.settings.trace and len(telic.settings.trace)

    assert both(traced) == (1, None)
    assert CHOICES["max_history_size"] > telic.settings.max_history_size


def test_native_tools_of_agents() -> None:
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    def ask() -> bool:
        with served(chat(next_thought="t", answer="3")) as (server, lm), telic.context(lm=lm):
            outcome(lambda: telic.ReActV2("question -> answer", tools=[add], max_iters=1)(question="?"))
            return "tools" in server.bodies[0]

    assert both(ask) == (False, True)


def test_histories_of_modules() -> None:
    def kept() -> int:
        asked = telic.Predict("question -> answer")
        with telic.context(lm=DummyLM([{"answer": "a"}])):
            asked(question="?")
        return len(asked.history)

    assert both(kept) == (1, 0)


def test_reasoning_models() -> None:
    def made() -> list[str]:
        return sorted(telic.LM("openai/o3", temperature=0.1).kwargs)

    assert both(made) == ("LMConfigurationError", ["max_tokens", "temperature"])


def test_tries_are_sampled() -> None:
    def ask() -> list[Any]:
        with served(chat(answer="a")) as (server, lm), telic.context(lm=lm):
            telic.BestOfN(telic.Predict("question -> answer"), 2, lambda args, pred: 0.0, 1.0)(question="?")
            return [body.get("temperature") for body in server.bodies]

    assert both(ask) == ([1.0, 1.0], [None, 1.0])


def test_tries_that_raise() -> None:
    def ask() -> str:
        FAILED.clear()
        return str(telic.BestOfN(Fails(1), 2, lambda args, pred: 1.0, 1.0)(question="?").answer)

    assert both(ask) == ("a", "KeyError")


def test_layouts_of_states(tmp_path: Path) -> None:
    def saved() -> list[str]:
        telic.Predict("question -> answer").save(tmp_path / "p.json")
        return sorted(json.loads((tmp_path / "p.json").read_text()))

    assert both(saved) == (["demos", "lm", "metadata", "signature", "traces", "train"], ["state", "telic"])


def test_recorded_answers_are_streamed() -> None:
    def chunks() -> list[int]:
        counts = []
        with served(chat(answer="one two three"), cache=True) as (_, lm), telic.context(lm=lm):
            for _ in range(2):
                listeners = [telic.StreamListener("answer")]
                run = telic.streamify(
                    telic.Predict("question -> answer"), stream_listeners=listeners, async_streaming=False
                )
                items = list(run(question="streamed?"))
                counts.append(len([item for item in items if not isinstance(item, telic.Prediction)]))
        return counts

    with_names, own = both(chunks)
    assert with_names[0] > 1
    assert with_names[1] == 0
    assert own[1] == 1


def test_what_earlier_turns_show() -> None:
    def turn() -> list[str]:
        history = telic.History(messages=[{"question": "1?", "mood": "curious"}])
        lm = DummyLM([{"reasoning": "r", "answer": "a"}])
        with telic.context(lm=lm):
            signature = "question, history: dspy.History -> reasoning, answer"
            telic.Predict(signature)(question="?", history=history)
        return markers(str(lm.history[-1]["messages"][2]["content"]))

    assert both(turn) == (["reasoning", "answer", "completed"], ["mood"])


def test_unknown_settings() -> None:
    def configured() -> Any:
        telic.configure(of_my_own=3)
        return telic.settings.of_my_own

    assert both(configured) == (3, "InputError")


def test_who_may_configure() -> None:
    def from_two() -> list[str]:
        telic.configure(max_errors=5)
        found: list[str] = []

        def second() -> None:
            found.append(str(outcome(lambda: telic.configure(max_errors=6))))

        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        return found

    assert both(from_two) == (["ConfigureError"], ["None"])


def test_forms_of_answers() -> None:
    def read() -> Any:
        return telic.ChatAdapter().parse(telic.Signature("question -> answer"), '{"answer": "a"}')

    assert both(read) == ("AdapterParseError", {"answer": "a"})
