"""Models that work through a long context by code."""

from __future__ import annotations

import json
from typing import Any

import pytest

import telic
from telic.errors import BudgetExceededError, CodeExecutionError, CodeInterpreterError, InputError
from telic.modules.rlm import RLM
from telic.sandbox.interpreter import FinalOutput
from telic.sandbox.serializable import SandboxSerializable
from tests.modules_code.interpreters import Scripted
from tests.scripted import ScriptedLM, chat


def act(code: str, reasoning: str = "r") -> str:
    return chat(reasoning=reasoning, code=f"```python\n{code}\n```")


CONTEXT = "\n".join(f"line {n}: {'nothing' if n != 777 else 'the magic number is 42'}" for n in range(20_000))


async def test_a_long_context_is_explored_with_sub_calls() -> None:
    for way in ("sync", "async"):
        sub = ScriptedLM(lambda prompt: "42" if "magic" in prompt else "none")
        lm = ScriptedLM(
            [
                act(
                    "print(len(context))\nhits = [l for l in context.split('\\n') if 'magic' in l]\n"
                    "print(hits)"
                ),
                act("found = llm_query_batched([f'Which number? {h}' for h in hits])\nfound"),
                act("SUBMIT(answer=int(found[0]))", "submit"),
            ]
        )
        rlm = RLM("context, question -> answer: int", sub_lm=sub)
        with telic.context(lm=lm):
            given = {"context": CONTEXT, "question": "?"}
            made = rlm(**given) if way == "sync" else await rlm.acall(**given)
        assert made.answer == 42
        assert made.final_reasoning == "submit"
        assert [turn["output"] for turn in made.trajectory] == [
            f"{len(CONTEXT)}\n['line 777: the magic number is 42']",
            "['42']",
            "FINAL: {'answer': 42}",
        ]
        assert len(sub.asked) == 1
        sizes = [len(messages[-1]["content"]) for messages in lm.asked]
        assert max(sizes) < 5_000, "the context itself must not be in the prompt"
        assert "2/20" in lm.asked[1][-1]["content"]


def test_what_the_model_is_told() -> None:
    class Task(telic.Signature):
        """Find it."""

        rows: list[dict[str, int]] = telic.InputField(desc="the table")
        name: str = telic.InputField()
        total: float = telic.OutputField(desc="the sum")

    def lookup(key: str) -> str:
        """Look a key up."""
        return key

    box = Scripted(FinalOutput({"total": "1.5"}))
    lm = ScriptedLM([act("x")])
    rlm = RLM(Task, tools=[lookup], max_llm_calls=7, interpreter_factory=lambda: box)
    with telic.context(lm=lm):
        assert rlm(rows=[{"a": 1}], name="n").total == 1.5
    system, user = (message["content"] for message in lm.asked[0])
    for text in (
        "Find it.",
        "total (float): the sum",
        "lookup",
        "Look a key up",
        "SUBMIT(total)",
        "7 sub-calls",
    ):
        assert text in system
    for text in ("`rows`: list", "the table", '"a": 1', "`name`: str, 1 characters", "1/20"):
        assert text in user
    assert box.output_fields == [{"name": "total"}]
    assert set(box.tools) == {"lookup", "llm_query", "llm_query_batched"}
    assert box.ran == [("x", {"rows": [{"a": 1}], "name": "n"})]
    assert (box.started, box.ended) == (1, 1)
    assert [path for path, _ in rlm.named_predictors()] == ["generate_action", "extract"]


def test_outputs_that_do_not_fit_go_back_to_the_model() -> None:
    box = Scripted(
        FinalOutput({"answer": "x", "why": []}),
        FinalOutput({"answer": 3}),
        FinalOutput("text"),
        FinalOutput({"answer": "3", "why": ["a"]}),
    )
    lm = ScriptedLM([act("1"), act("2"), act("3"), act("4")])
    rlm = RLM("context -> answer: int, why: list[str]", interpreter_factory=lambda: box)
    with telic.context(lm=lm):
        made = rlm(context="c")
    assert (made.answer, made.why) == (3, ["a"])
    outputs = [turn["output"] for turn in made.trajectory]
    assert "'answer' must be int" in outputs[0]
    assert "why missing" in outputs[1]
    assert "SUBMIT needs values for answer, why" in outputs[2]


def test_errors_empty_output_and_the_end_of_the_turns() -> None:
    box = Scripted(CodeExecutionError("boom"), None, ["x", "y"])
    lm = ScriptedLM([act("1"), act("2"), act("3"), chat(answer="from the turns")])
    rlm = RLM("context -> answer", max_iters=3, interpreter_factory=lambda: box)
    with telic.context(lm=lm):
        made = rlm(context="c")
    assert made.answer == "from the turns"
    assert [turn["output"][:10] for turn in made.trajectory] == ["[Error] bo", "(no output", "x\ny"]
    assert "extracted" in made.final_reasoning
    assert "x\ny" in lm.asked[-1][-1]["content"]


def test_long_outputs_are_shortened_for_the_model_only() -> None:
    box = Scripted("0123456789" * 10, FinalOutput({"answer": "x"}))
    lm = ScriptedLM([act("1"), act("2")])
    rlm = RLM("context -> answer", max_output_chars=20, interpreter_factory=lambda: box)
    with telic.context(lm=lm):
        made = rlm(context="c" * 5_000)
    assert made.trajectory[0]["output"] == "0123456789" * 10
    shown = lm.asked[1][-1]["content"]
    assert "Output (100 characters):\n0123456789\n… (80 characters left out) …\n0123456789" in shown
    assert "c" * 1_001 not in shown


def test_sub_calls_are_limited_together() -> None:
    seen: list[str] = []

    def use(box: Any) -> str:
        for call in (
            lambda: box.tools["llm_query"]("one"),
            lambda: box.tools["llm_query"](" "),
            lambda: box.tools["llm_query_batched"](["two", "three"]),
            lambda: box.tools["llm_query_batched"](["four", "five"]),
            lambda: box.tools["llm_query_batched"]([]),
        ):
            try:
                seen.append(repr(call()))
            except (RuntimeError, ValueError) as error:
                seen.append(str(error))
        return "done"

    box = Scripted(use, FinalOutput({"answer": "x"}))
    lm = ScriptedLM(lambda prompt: act("1") if "repl_history" in prompt else prompt.upper())
    rlm = RLM("context -> answer", max_llm_calls=3, interpreter_factory=lambda: box)
    with telic.context(lm=lm):
        rlm(context="c")
    assert seen[0] == "'ONE'"
    assert "must be a text" in seen[1]
    assert seen[2] == "['TWO', 'THREE']"
    assert "0 of 3 LLM calls left, and 2 were asked for" in seen[3]
    assert seen[4] == "[]"


def test_a_spent_budget_ends_the_run_whatever_the_code_catches() -> None:
    code = "try:\n    llm_query('a')\nexcept BaseException:\n    pass"
    lm = ScriptedLM(lambda prompt: act(code) if "repl_history" in prompt else "a")
    with telic.context(lm=lm), telic.budget(calls=2), pytest.raises(BudgetExceededError):
        RLM("context -> answer")(context="c")
    assert len(lm.asked) == 2


class Table(SandboxSerializable):
    def __init__(self, rows: list[int], data: bytes | None = None) -> None:
        self.rows = rows
        self.data = json.dumps(rows).encode() if data is None else data

    def sandbox_setup(self) -> str:
        return "import json"

    def to_sandbox(self) -> bytes:
        return self.data

    def sandbox_assignment(self, var_name: str, data_expr: str) -> str:
        if self.data[:1] == b"\xff":
            return f"{var_name} = len({data_expr})"
        return f"{var_name} = json.loads({data_expr})"

    def rlm_preview(self, max_chars: int = 500) -> str:
        return f"a table of {len(self.rows)} rows"


def test_values_that_rebuild_themselves() -> None:
    class Task(telic.Signature):
        """Sum the table."""

        table: Table = telic.InputField(desc="the rows")
        raw: Table = telic.InputField()
        total: int = telic.OutputField()

    lm = ScriptedLM([act("while True: pass"), act("print(raw)"), act("SUBMIT(sum(table))")])
    from telic.sandbox import LocalInterpreter

    def factory() -> LocalInterpreter:
        return LocalInterpreter(execution_timeout=2)

    with telic.context(lm=lm):
        made = RLM(Task, interpreter_factory=factory)(table=Table([1, 2, 3]), raw=Table([], b"\xff\x00"))
    assert made.total == 6
    assert made.trajectory[1]["output"] == "2"
    shown = lm.asked[0][-1]["content"]
    assert "a table of 3 rows" in shown
    assert "already run:\nimport json" in shown


def test_they_are_rebuilt_when_the_interpreter_lost_its_state() -> None:
    lost = CodeExecutionError("gone")
    lost.state_lost = True
    box = Scripted(None, lost, None, FinalOutput({"answer": "x"}))
    lm = ScriptedLM([act("1"), act("2")])
    with telic.context(lm=lm):
        RLM("table, n: int -> answer", interpreter_factory=lambda: box)(table=Table([1]), n=3)
    rebuilt = "import json\ntable = json.loads(_raw_table)"
    assert [code for code, _ in box.ran] == [rebuilt, "1", rebuilt, "2"]
    assert box.ran[1][1] == {"n": 3}


def test_the_prompt_tells_of_the_interpreter_in_use() -> None:
    lm = ScriptedLM([act("1"), act("1")])
    rlm = RLM("context -> answer")
    with telic.context(lm=lm):
        made = rlm(context="c", interpreter_factory=lambda: Scripted(FinalOutput({"answer": "x"})))
        assert made.answer == "x"
        factory = type("Factory", (Scripted,), {"execution_instructions": "ANOTHER MACHINE"})
        factory.__init__ = lambda self: Scripted.__init__(self, FinalOutput({"answer": "x"}))  # type: ignore[misc]
        rlm(context="c", interpreter_factory=factory)
    assert "a sandbox with a subset of Python" not in lm.asked[0][0]["content"]
    assert "ANOTHER MACHINE" in lm.asked[1][0]["content"]
    assert "a sandbox with a subset of Python" in rlm.generate_action.signature.instructions


def test_bad_calls_and_bad_names() -> None:
    rlm = RLM("context -> answer", interpreter_factory=lambda: Scripted(CodeInterpreterError("dead")))
    with telic.context(lm=ScriptedLM([act("1")])):
        with pytest.raises(ValueError, match="missing: context"):
            rlm()
        with pytest.raises(ValueError, match="zzz"):
            rlm(context="c", zzz=1)
        with pytest.raises(CodeInterpreterError, match="dead"):
            rlm(context="c")

    def llm_query(x: str) -> str:
        return x

    def context(x: str) -> str:
        return x

    for signature, tools, problem in (
        ("print -> a", None, "print"),
        ("a -> trajectory", None, "trajectory"),
        ("context -> a", [llm_query], "llm_query"),
        ("context -> a", [context], "both called context"),
        ("context -> a", [3], "callable"),
        ("context -> a", {"f": context}, "must be a list"),
        ("context -> a", [lambda x: x], "lambda"),
    ):
        with pytest.raises(InputError, match=problem):
            RLM(signature, tools=tools)  # type: ignore[arg-type]


def test_a_program_with_it_saves_loads_and_copies() -> None:
    rlm = RLM("context -> answer", tools=[max])
    copy = rlm.deepcopy()
    copy.generate_action.demos = [{"reasoning": "r", "code": "c"}]
    other = RLM("context -> answer", tools=[max])
    other.load_state(copy.dump_state())
    assert other.generate_action.demos
    assert not rlm.generate_action.demos
