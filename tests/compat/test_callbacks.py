"""Callbacks in DSPy's terms."""

from __future__ import annotations

from typing import Any

import pytest

from tests.compat.scripts import dummy
from tests.compat.target import dspy


class Notes(dspy.utils.BaseCallback):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, Any]]] = []

    def names(self) -> list[str]:
        return [name for name, _ in self.seen]

    def of(self, name: str) -> list[dict[str, Any]]:
        return [facts for seen, facts in self.seen if seen == name]


def _teller(event: str) -> Any:
    def tell(self: Notes, *args: Any, **facts: Any) -> None:
        names = (
            ("call_id", "instance", "inputs")
            if event.endswith("start")
            else ("call_id", "outputs", "exception")
        )
        self.seen.append((event, {**dict(zip(names, args, strict=False)), **facts}))

    return tell


KINDS = ("module", "lm", "adapter_format", "adapter_parse", "tool", "evaluate", "compile")
for _kind in KINDS:
    for _edge in ("start", "end"):
        setattr(Notes, f"on_{_kind}_{_edge}", _teller(f"{_kind}_{_edge}"))


@pytest.fixture
def notes() -> Notes:
    made = Notes()
    dspy.configure(callbacks=[made])
    return made


def test_a_prediction_tells_of_all_its_parts(notes: Notes) -> None:
    dummy({"answer": "a"})
    dspy.Predict("question -> answer")(question="?")
    assert notes.names() == [
        "module_start",
        "adapter_format_start",
        "adapter_format_end",
        "lm_start",
        "lm_end",
        "adapter_parse_start",
        "adapter_parse_end",
        "module_end",
    ]


def test_starts_and_ends_have_one_id(notes: Notes) -> None:
    dummy({"reasoning": "r", "answer": "a"})
    dspy.ChainOfThought("question -> answer")(question="?")
    starts = {f["call_id"] for name, f in notes.seen if name.endswith("start")}
    ends = {f["call_id"] for name, f in notes.seen if name.endswith("end")}
    assert starts == ends
    assert len(starts) == 5


def test_modules_nest(notes: Notes) -> None:
    dummy({"reasoning": "r", "answer": "a"})
    think = dspy.ChainOfThought("question -> answer")
    think(question="?")
    assert [f["instance"] for f in notes.of("module_start")] == [think, think.predict]
    starts = [f["call_id"] for f in notes.of("module_start")]
    assert [f["call_id"] for f in notes.of("module_end")] == starts[::-1]


def test_a_module_tells_inputs_and_outputs(notes: Notes) -> None:
    dummy({"answer": "a"})
    prediction = dspy.Predict("question -> answer")(question="?")
    inputs = notes.of("module_start")[0]["inputs"]
    assert "?" in str(inputs)
    end = notes.of("module_end")[0]
    assert end["outputs"] is prediction or end["outputs"] == prediction
    assert end["exception"] is None


def test_an_lm_tells_its_messages(notes: Notes) -> None:
    lm = dummy({"answer": "a"})
    dspy.Predict("question -> answer")(question="What is it?")
    start, end = notes.of("lm_start")[0], notes.of("lm_end")[0]
    assert start["instance"] is lm
    assert "What is it?" in str(start["inputs"]["messages"])
    assert "answer" in str(end["outputs"])


def test_an_adapter_tells_what_it_renders_and_reads(notes: Notes) -> None:
    dummy({"answer": "a"})
    predict = dspy.Predict("question -> answer")
    predict.demos = [dspy.Example(question="1", answer="2")]
    predict(question="?")
    start = notes.of("adapter_format_start")[0]
    assert isinstance(start["instance"], dspy.ChatAdapter)
    assert set(start["inputs"]) >= {"signature", "demos", "inputs"}
    assert [m["role"] for m in notes.of("adapter_format_end")[0]["outputs"]] == [
        "system", "user", "assistant", "user",
    ]  # fmt: skip
    assert "completion" in notes.of("adapter_parse_start")[0]["inputs"]
    assert notes.of("adapter_parse_end")[0]["outputs"] == {"answer": "a"}


def test_a_tool_tells(notes: Notes) -> None:
    tool = dspy.Tool(lambda x: x + 1, name="inc")
    tool(x=1)
    assert notes.names() == ["tool_start", "tool_end"]
    start, end = notes.seen[0][1], notes.seen[1][1]
    assert start["instance"] is tool
    assert "1" in str(start["inputs"])
    assert end["outputs"] == 2


async def test_an_awaited_tool_tells() -> None:
    notes = Notes()

    async def inc(x: int) -> int:
        return x + 1

    with dspy.context(callbacks=[notes]):
        await dspy.Tool(inc).acall(x=1)
    assert notes.names() == ["tool_start", "tool_end"]


def test_an_exception_is_told(notes: Notes) -> None:
    class Bad(dspy.Module):
        def forward(self) -> None:
            raise KeyError("gone")

    with pytest.raises(KeyError):
        Bad()()
    end = notes.of("module_end")[0]
    assert isinstance(end["exception"], KeyError)
    assert end["outputs"] is None


def test_a_callback_that_fails_breaks_nothing() -> None:
    class Broken(dspy.utils.BaseCallback):
        def on_module_start(self, call_id: str, instance: Any, inputs: Any) -> None:
            raise RuntimeError("bad callback")

        def on_lm_end(self, call_id: str, outputs: Any, exception: Any = None) -> None:
            raise RuntimeError("bad callback")

    dummy({"answer": "a"})
    with dspy.context(callbacks=[Broken()]):
        assert dspy.Predict("question -> answer")(question="?").answer == "a"


def test_callbacks_of_a_module_alone() -> None:
    notes = Notes()
    lm = dummy({"answer": "a"}, {"answer": "b"})
    predict = dspy.Predict("question -> answer", callbacks=[notes])
    other = dspy.Predict("question -> answer")
    predict(question="?")
    other(question="?")
    assert notes.names() == ["module_start", "module_end"]
    assert lm is not None


def test_callbacks_of_an_lm_alone() -> None:
    notes = Notes()
    lm = dspy.utils.DummyLM([{"answer": "a"}])
    lm.callbacks = [notes]
    with dspy.context(lm=lm):
        dspy.Predict("question -> answer")(question="?")
    assert notes.names() == ["lm_start", "lm_end"]


def test_callbacks_of_an_adapter_alone() -> None:
    notes = Notes()
    dummy({"answer": "a"})
    with dspy.context(adapter=dspy.ChatAdapter(callbacks=[notes])):
        dspy.Predict("question -> answer")(question="?")
    assert notes.names() == [
        "adapter_format_start", "adapter_format_end", "adapter_parse_start", "adapter_parse_end",
    ]  # fmt: skip


def test_general_callbacks_and_own_ones() -> None:
    general, own = Notes(), Notes()
    dummy({"answer": "a"})
    with dspy.context(callbacks=[general]):
        dspy.Predict("question -> answer", callbacks=[own])(question="?")
    assert own.names() == ["module_start", "module_end"]
    assert general.names()[0] == "module_start"


def test_several_callbacks() -> None:
    first, second = Notes(), Notes()
    dummy({"answer": "a"})
    with dspy.context(callbacks=[first, second]):
        dspy.Predict("question -> answer")(question="?")
    assert first.names() == second.names() != []


def test_the_id_of_the_surrounding_call_is_known() -> None:
    from tests.compat.target import REAL

    if REAL:
        from dspy.utils.callback import ACTIVE_CALL_ID
    else:
        ACTIVE_CALL_ID = dspy.utils.callback.ACTIVE_CALL_ID
    parents: dict[str, Any] = {}

    class Tree(dspy.utils.BaseCallback):
        def on_module_start(self, call_id: str, instance: Any, inputs: Any) -> None:
            parents[type(instance).__name__] = ACTIVE_CALL_ID.get()
            self.outer = getattr(self, "outer", call_id)

        def on_lm_start(self, call_id: str, instance: Any, inputs: Any) -> None:
            parents["lm"] = ACTIVE_CALL_ID.get()

    tree = Tree()
    dummy({"reasoning": "r", "answer": "a"})
    with dspy.context(callbacks=[tree]):
        dspy.ChainOfThought("question -> answer")(question="?")
    assert parents["ChainOfThought"] is None
    assert parents["Predict"] == tree.outer
    assert parents["lm"] not in (None, tree.outer)


def test_methods_of_ones_own_can_tell() -> None:
    notes = Notes()

    class Own:
        callbacks: list[Any] = []

        @dspy.utils.with_callbacks
        def forward(self, a: int, b: int = 2) -> int:
            return a + b

    with dspy.context(callbacks=[notes]):
        assert Own().forward(1) == 3
    assert notes.names() == ["module_start", "module_end"]
    assert notes.of("module_start")[0]["inputs"] == {"a": 1, "b": 2}
    assert notes.of("module_end")[0]["outputs"] == 3


async def test_async_programs_tell_too() -> None:
    notes = Notes()
    with dspy.context(callbacks=[notes], lm=dspy.utils.DummyLM([{"answer": "a"}])):
        await dspy.Predict("question -> answer").acall(question="?")
    assert notes.names()[0] == "module_start"
    assert notes.names()[-1] == "module_end"
    assert "lm_end" in notes.names()


def test_an_agent_tells_of_its_tools(notes: Notes) -> None:
    dummy(
        {"next_thought": "t", "next_tool_name": "inc", "next_tool_args": '{"x": 1}'},
        {"next_thought": "t", "next_tool_name": "finish", "next_tool_args": "{}"},
        {"reasoning": "r", "answer": "a"},
    )

    def inc(x: int) -> int:
        return x + 1

    dspy.ReAct("question -> answer", tools=[inc])(question="?")
    assert [f["instance"].name for f in notes.of("tool_start")] == ["inc", "finish"]


def test_an_evaluation_tells(notes: Notes) -> None:
    dummy({"answer": "a"})
    row = dspy.Example(question="?", answer="a").with_inputs("question")
    evaluate = dspy.Evaluate(devset=[row], metric=dspy.evaluate.answer_exact_match, num_threads=1)
    evaluate(dspy.Predict("question -> answer"), callback_metadata={"why": "test"})
    start = notes.of("evaluate_start")[0]
    assert start["instance"] is evaluate
    assert start["inputs"]["callback_metadata"] == {"why": "test"}
    assert notes.of("evaluate_end")[0]["outputs"].score == 100.0


def test_threads_keep_their_calls_apart() -> None:
    notes = Notes()
    with dspy.context(callbacks=[notes], lm=dspy.utils.DummyLM([{"answer": "a"}] * 8)):
        rows = [dspy.Example(question=str(n)).with_inputs("question") for n in range(8)]
        dspy.Predict("question -> answer").batch(rows, num_threads=4)
    assert len({f["call_id"] for f in notes.of("module_start")}) == 8
    assert len(notes.of("module_end")) == 8
