"""Programs of code, and interpreters, in DSPy's terms."""

from __future__ import annotations

from typing import Any

import pytest

from tests.compat.scripts import dummy, section, sent
from tests.compat.target import REAL, dspy


def local(**options: Any) -> Any:
    return dspy.LocalInterpreter(**options)


FACTORIES = [dspy.LocalInterpreter] if REAL else [dspy.LocalInterpreter, dspy.PythonInterpreter]
"""DSPy's own default needs Deno."""

each_interpreter = pytest.mark.parametrize("make", FACTORIES, ids=lambda make: make.__name__)


@each_interpreter
@pytest.mark.parametrize(
    ("code", "result"),
    [("1 + 1", 2), ("x = 5\nx * 2", 10), ("print('hi')", "hi"), ("[n * n for n in range(3)]", [0, 1, 4])],
)
def test_what_code_gives(make: Any, code: str, result: Any) -> None:
    interpreter = make()
    try:
        found = interpreter.execute(code)
        assert str(found).strip() == str(result)
    finally:
        interpreter.shutdown()


@each_interpreter
def test_state_lasts(make: Any) -> None:
    interpreter = make()
    try:
        interpreter.execute("x = 40")
        assert interpreter.execute("x + 2") == 42
    finally:
        interpreter.shutdown()


@each_interpreter
def test_variables_come_in(make: Any) -> None:
    interpreter = make()
    try:
        assert interpreter.execute("sum(xs)", variables={"xs": [1, 2, 3]}) == 6
    finally:
        interpreter.shutdown()


@each_interpreter
def test_tools_are_functions(make: Any) -> None:
    interpreter = make(tools={"add": lambda a, b: a + b})
    try:
        assert interpreter.execute("add(a=1, b=2)") == 3
        assert list(interpreter.tools) == ["add"]
    finally:
        interpreter.shutdown()


@each_interpreter
def test_what_code_raises(make: Any) -> None:
    interpreter = make()
    try:
        with pytest.raises(dspy.CodeExecutionError, match="ZeroDivisionError"):
            interpreter.execute("1 / 0")
        assert interpreter.execute("1 + 1") == 2
    finally:
        interpreter.shutdown()


@each_interpreter
def test_what_does_not_parse(make: Any) -> None:
    interpreter = make()
    try:
        with pytest.raises(SyntaxError):
            interpreter.execute("def f(:")
    finally:
        interpreter.shutdown()


@each_interpreter
def test_submitting(make: Any) -> None:
    interpreter = make(output_fields=[{"name": "answer"}])
    try:
        result = interpreter.execute("SUBMIT(answer=5)")
        assert isinstance(result, dspy.FinalOutput)
        assert result.output == {"answer": 5}
    finally:
        interpreter.shutdown()


def test_final_outputs_compare() -> None:
    assert dspy.FinalOutput({"a": 1}) == dspy.FinalOutput({"a": 1})
    assert dspy.FinalOutput({"a": 1}) != dspy.FinalOutput({"a": 2})


def test_program_of_thought() -> None:
    lm = dummy(
        {"reasoning": "r", "generated_code": "```python\nresult = 1 + 1\nSUBMIT({'answer': result})\n```"},
        {"reasoning": "so", "answer": "2"},
    )
    program = dspy.ProgramOfThought("question -> answer", interpreter_factory=local)
    assert program(question="1+1?").answer == "2"
    asked = sent(lm)[-1]["content"]
    assert "result = 1 + 1" in section(asked, "final_generated_code")
    assert "2" in section(asked, "code_output")


def test_program_of_thought_mends_its_code() -> None:
    lm = dummy(
        {"reasoning": "r", "generated_code": "1 / 0"},
        {"reasoning": "r", "generated_code": "SUBMIT({'answer': 2})"},
        {"reasoning": "so", "answer": "2"},
    )
    program = dspy.ProgramOfThought("question -> answer", interpreter_factory=local)
    assert program(question="1+1?").answer == "2"
    asked = sent(lm, 1)[-1]["content"]
    assert "1 / 0" in section(asked, "previous_code")
    assert "ZeroDivisionError" in section(asked, "error")


def test_program_of_thought_gives_up() -> None:
    lm = dummy(*[{"reasoning": "r", "generated_code": "1 / 0"}] * 5)
    program = dspy.ProgramOfThought("question -> answer", max_iters=2, interpreter_factory=local)
    with pytest.raises(RuntimeError):
        program(question="1+1?")
    assert len(lm.history) == 2


def test_program_of_thought_has_three_predictors() -> None:
    program = dspy.ProgramOfThought("question -> answer", interpreter_factory=local)
    assert [name for name, _ in program.named_predictors()] == [
        "code_generate.predict", "code_regenerate.predict", "generate_output.predict",
    ]  # fmt: skip


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def test_code_act() -> None:
    lm = dummy({"generated_code": "print(add(1, 2))", "finished": "True"}, {"reasoning": "r", "answer": "3"})
    program = dspy.CodeAct("question -> answer", tools=[add], interpreter_factory=local)
    prediction = program(question="1+2?")
    assert prediction.answer == "3"
    assert prediction.trajectory["generated_code_0"] == "print(add(1, 2))"
    assert "3" in str(prediction.trajectory["code_output_0"])
    assert "3" in sent(lm)[-1]["content"]


def test_code_act_sees_errors() -> None:
    lm = dummy(
        {"generated_code": "1 / 0", "finished": "False"},
        {"generated_code": "print(2)", "finished": "True"},
        {"reasoning": "r", "answer": "2"},
    )
    dspy.CodeAct("question -> answer", tools=[add], interpreter_factory=local)(question="?")
    assert "ZeroDivisionError" in sent(lm, 1)[-1]["content"]


def test_code_act_stops() -> None:
    lm = dummy(*[{"generated_code": "print(1)", "finished": "False"}] * 2, {"reasoning": "r", "answer": "2"})
    program = dspy.CodeAct("question -> answer", tools=[add], max_iters=2, interpreter_factory=local)
    assert program(question="?").answer == "2"
    assert len(lm.history) == 3


def test_rlm_looks_at_its_context_with_code() -> None:
    lm = dummy(
        {"reasoning": "look", "code": "print(context[:5])"},
        {"reasoning": "done", "code": "SUBMIT(answer='x')"},
    )
    program = dspy.RLM("context, question -> answer", max_iters=3, interpreter_factory=local)
    prediction = program(context="hello world " * 50, question="?")
    assert prediction.answer == "x"
    assert [step["code"] for step in prediction.trajectory] == ["print(context[:5])", "SUBMIT(answer='x')"]
    assert "hello" in sent(lm, 1)[-1]["content"]


def test_rlm_has_two_predictors() -> None:
    program = dspy.RLM("context, question -> answer", interpreter_factory=local)
    assert [name for name, _ in program.named_predictors()] == ["generate_action", "extract"]


def test_rlm_does_not_show_its_whole_context() -> None:
    lm = dummy({"reasoning": "done", "code": "SUBMIT(answer='x')"})
    context = " ".join(str(n) for n in range(20_000))
    dspy.RLM("context, question -> answer", interpreter_factory=local)(context=context, question="?")
    assert "10000" not in str(sent(lm, 0))
    assert str(len(context)) in str(sent(lm, 0)).replace(",", "")
