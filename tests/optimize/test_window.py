"""Prompts of proposals are cut to the model's window, least valuable first out."""

from __future__ import annotations

from typing import Any

import telic
from telic.optimize.optimizer import Optimizer
from telic.optimize.problem import Problem, make_problem
from telic.optimize.strategy import Ask, Choice, Strategy
from telic.optimize.window import fit_ask
from tests.scripted import RecordedLM, chat

SIGNATURE = "task, good: list[str], bad: list[str] -> advice"


class SmallLM(RecordedLM):
    """A token a word, and a window of so many."""

    def __init__(self, window: int) -> None:
        super().__init__(lambda text: chat(advice="be brief"), max_tokens=20)
        self.context_window = window

    def count_tokens(self, request: Any) -> int:
        return sum(len(message["content"].split()) for message in request.messages)

    def forward(self, prompt: str | None = None, messages: Any = None, **kwargs: Any) -> Any:
        assert sum(len(message["content"].split()) for message in messages) <= self.context_window - 20
        return super().forward(prompt, messages, **kwargs)


def ask(**changes: Any) -> Ask:
    inputs: dict[str, Any] = {
        "task": "say it",
        "good": [f"good example {n} " + "word " * 20 for n in range(10)],
        "bad": [f"bad example {n}" for n in range(4)],
    }
    return Ask(telic.Predict(SIGNATURE), {**inputs, **changes}, why="advice", like={"advice": "Be brief."})


def overhead() -> int:
    lm = SmallLM(10_000)
    with telic.context(lm=lm):
        return lm.count_tokens(telic.Predict(SIGNATURE).request_for(task="", good=[], bad=[]))


def test_what_fits_is_left_as_it_is() -> None:
    whole = ask()
    with telic.context(lm=SmallLM(10_000)):
        assert fit_ask(whole) == (whole, None)
    with telic.context(lm=RecordedLM(lambda text: "")):
        assert fit_ask(whole) == (whole, None)


def test_the_longest_list_loses_its_last_items_and_no_more_than_it_must() -> None:
    lm = SmallLM(overhead() + 150)
    with telic.context(lm=lm):
        fitting, note = fit_ask(ask())
        request = telic.Predict(SIGNATURE).request_for(**fitting.inputs)
        used = lm.count_tokens(request)
    kept = fitting.inputs["good"]
    assert kept == ask().inputs["good"][: len(kept)]
    assert 1 < len(kept) < 10
    assert fitting.inputs["bad"] == ask().inputs["bad"]
    assert lm.context_window - 20 - 25 < used <= lm.context_window - 20
    assert note == f"advice: {10 - len(kept)} items left out to fit the model's window."


def test_texts_are_cut_when_lists_are_down_to_one() -> None:
    lm = SmallLM(overhead() + 120)
    with telic.context(lm=lm):
        fitting, note = fit_ask(ask(task="tell " * 500))
    assert len(fitting.inputs["good"]) == len(fitting.inputs["bad"]) == 1
    assert fitting.inputs["task"].endswith("…")
    assert "texts cut to" in str(note)


def test_functions_and_odd_modules_are_left_alone() -> None:
    class Module(telic.Module):
        def __init__(self) -> None:
            self.inner = telic.Predict("other -> advice")

    with telic.context(lm=SmallLM(30)):
        for program in (lambda **inputs: inputs, Module()):
            odd = Ask(program, ask().inputs)
            assert fit_ask(odd) == (odd, None)


def test_a_run_cuts_by_itself_and_says_so_also_when_it_goes_on() -> None:
    class Asking(Optimizer):
        def get_params(self) -> dict[str, Any]:
            return {}

        def compile(self, student: Any, *, trainset: Any) -> Any:
            problem = make_problem(student, trainset=trainset, valset=None, metric=None)
            return self.run(problem, self.strategy(problem), run_id="mine")

        def strategy(self, problem: Problem) -> Strategy:
            (reply,) = yield [ask()]
            return Choice(problem.start.with_instructions({"self": reply.value["advice"]}))

    lm = SmallLM(overhead() + 150)
    rows = [telic.Example(q="a").with_inputs("q")]
    with telic.context(lm=lm):
        first = Asking().compile(telic.Predict("q -> a"), trainset=rows)
        again = Asking().compile(telic.Predict("q -> a"), trainset=rows)
    assert first.signature.instructions == "be brief"
    assert "items left out" in first.report.notes[0]
    assert again.report.notes == first.report.notes
    assert len(lm.asked) == 1
