"""Answers by programs."""

from __future__ import annotations

import pytest

import telic
from telic.errors import CodeExecutionError, CodeInterpreterError
from telic.modules.program_of_thought import ProgramOfThought
from telic.sandbox.interpreter import FinalOutput
from tests.modules_code.interpreters import Scripted
from tests.scripted import ScriptedLM, chat


def written(code: str) -> str:
    return chat(reasoning="r", generated_code=code)


def last_user(lm: ScriptedLM, turn: int = -1) -> str:
    return lm.asked[turn][-1]["content"]


def test_a_program_is_run_and_its_output_read() -> None:
    lm = ScriptedLM(
        [written("```python\nSUBMIT({'answer': 6 * 7})\n```"), chat(reasoning="done", answer="42")]
    )
    pot = ProgramOfThought("question -> answer: int")
    with telic.context(lm=lm):
        prediction = pot(question="6*7?")
    assert prediction.answer == 42
    assert prediction.reasoning == "done"
    assert "SUBMIT({'answer': 6 * 7})" in last_user(lm)
    assert '{"output": {"answer": 42}}' in last_user(lm)
    assert [path for path, _ in pot.named_predictors()] == [
        "code_generate.predict",
        "code_regenerate.predict",
        "generate_output.predict",
    ]


async def test_an_error_goes_back_to_the_model_both_ways() -> None:
    for way in ("sync", "async"):
        lm = ScriptedLM(
            [
                written("```py\nx = 1 / 0\n```"),
                written("x = 41\nx + 1"),
                chat(reasoning="ok", answer="42"),
            ]
        )
        pot = ProgramOfThought("question -> answer: int")
        with telic.context(lm=lm):
            made = pot(question="?") if way == "sync" else await pot.acall(question="?")
        assert made.answer == 42
        assert "ZeroDivisionError: division by zero" in last_user(lm, 1)
        assert "[[ ## previous_code ## ]]\nx = 1 / 0\nx\n" in last_user(lm, 1)
        assert "[[ ## code_output ## ]]\n42" in last_user(lm)


def test_state_lasts_between_programs_and_each_call_has_its_own() -> None:
    lm = ScriptedLM(
        [
            written("kept = 5\nmissing"),
            written("kept"),
            chat(reasoning="", answer="5"),
            written("kept"),
            written("1"),
            chat(reasoning="", answer="1"),
        ]
    )
    pot = ProgramOfThought("question -> answer")
    with telic.context(lm=lm):
        assert pot(question="?").answer == "5"
        assert pot(question="?").answer == "1"
    assert "name 'kept' is not defined" in last_user(lm, 4)


def test_a_program_that_does_not_stop_is_stopped_and_the_run_goes_on() -> None:
    from telic.sandbox import PythonInterpreter

    lm = ScriptedLM([written("while True: pass"), written("7"), chat(reasoning="", answer="7")])
    pot = ProgramOfThought("question -> answer", interpreter_factory=lambda: PythonInterpreter(timeout=0.3))
    with telic.context(lm=lm):
        assert pot(question="?").answer == "7"
    assert "TimeoutError: the code ran for more than 0.3 s" in last_user(lm, 1)


def test_it_gives_up_after_max_iters() -> None:
    box = Scripted(CodeExecutionError("bad"), CodeExecutionError("worse"))
    lm = ScriptedLM([written("1"), written("2"), written("3")])
    pot = ProgramOfThought("question -> answer", max_iters=2, interpreter_factory=lambda: box)
    with telic.context(lm=lm), pytest.raises(RuntimeError, match=r"none of 2 programs ran.*worse"):
        pot(question="?")
    assert len(lm.asked) == 2
    assert box.ended == 1


def test_what_no_program_can_mend_ends_the_run() -> None:
    box = Scripted(CodeInterpreterError("dead"))
    lm = ScriptedLM([written("1")])
    pot = ProgramOfThought("question -> answer", interpreter_factory=lambda: box)
    with telic.context(lm=lm), pytest.raises(CodeInterpreterError, match="dead"):
        pot(question="?")
    assert box.ended == 1


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (["a", "b"], '["a", "b"]'),
        (None, "null"),
        ("text", '"text"'),
        (FinalOutput({"answer": 5}), '{"answer": 5}'),
    ],
)
def test_results_are_shown_as_json(result: object, shown: str) -> None:
    lm = ScriptedLM([written("1"), chat(reasoning="", answer="5")])
    pot = ProgramOfThought("question -> answer", interpreter_factory=lambda: Scripted(result))
    with telic.context(lm=lm):
        pot(question="?")
    assert f"[[ ## code_output ## ]]\n{shown}\n" in last_user(lm)


def test_nothing_written_is_told() -> None:
    lm = ScriptedLM([written("```python\n```"), written("1"), chat(reasoning="", answer="5")])
    box = Scripted("1")
    with telic.context(lm=lm):
        ProgramOfThought("question -> answer", interpreter_factory=lambda: box)(question="?")
    assert "No code was written." in last_user(lm, 1)
    assert len(box.ran) == 1


def test_the_callers_interpreter_is_used_and_left_running() -> None:
    box = Scripted("1")
    lm = ScriptedLM([written("1"), chat(reasoning="", answer="5")])
    with telic.context(lm=lm):
        ProgramOfThought("question -> answer")(box, question="?")
    assert (len(box.ran), box.ended) == (1, 0)


def test_the_settings_choose_the_interpreter_where_the_module_does_not() -> None:
    box, other = Scripted("1"), Scripted("1")
    lm = ScriptedLM([written("1"), chat(reasoning="", answer="5")] * 2)
    with telic.context(lm=lm, interpreter_factory=lambda: box):
        ProgramOfThought("question -> answer")(question="?")
        ProgramOfThought("question -> answer", interpreter_factory=lambda: other)(question="?")
    assert (len(box.ran), len(other.ran)) == (1, 1)
    program = ProgramOfThought("question -> answer")
    with telic.context(lm=lm, interpreter_factory=3), pytest.raises(TypeError, match="callable"):
        program(question="?")
