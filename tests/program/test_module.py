"""Programs as trees: paths, copies, state, files, both ways of calling."""

from __future__ import annotations

import json

import pytest

import telic
from telic.errors import ProgramFileError, SignatureError
from telic.program.state import ProgramState
from tests.scripted import ScriptedLM, chat


class Pipeline(telic.Module):
    def __init__(self):
        self.think = telic.ChainOfThought("question -> query")
        self.hops = [telic.Predict("query -> note"), telic.Predict("query -> note")]
        self.tools = {"sum": telic.Predict("notes -> answer"), 3: telic.Predict("x -> y")}
        self.same = self.hops[0]

    def forward(self, question):
        query = self.think(question=question).query
        notes = [hop(query=query).note for hop in self.hops]
        return self.tools["sum"](notes=notes)


PATHS = ["think.predict", "hops[0]", "hops[1]", "tools['sum']", "tools['3']"]


def test_paths_each_parameter_once():
    program = Pipeline()
    assert [path for path, _ in program.named_parameters()] == PATHS
    assert [path for path, _ in program.named_predictors()] == PATHS
    assert [path for path, _ in telic.Predict("q -> a").named_parameters()] == ["self"]
    assert [path for path, _ in program.named_sub_modules()][:2] == ["self", "self.think"]


def test_a_compiled_part_is_left_alone():
    program = Pipeline()
    program.think._compiled = True
    assert [path for path, _ in program.named_parameters()] == PATHS[1:]


def test_copies_do_not_share_parameters_but_share_the_lm():
    lm = ScriptedLM([])
    program = Pipeline()
    program.set_lm(lm)
    program.hops[1].demos = [telic.Example(query="q", note="n")]
    other = program.deepcopy()
    other.hops[1].demos.append(telic.Example(query="x", note="y"))
    assert len(program.hops[1].demos) == 1
    assert other.get_lm() is lm
    assert other.same is not program.same
    bare = program.reset_copy()
    assert bare.hops[1].demos == []
    assert len(program.hops[1].demos) == 1


def test_shared_predictors_stay_shared_in_a_copy():
    copy = Pipeline().deepcopy()
    assert copy.same is copy.hops[0]


def test_state_round_trip_and_hash():
    program = Pipeline()
    program.hops[1].demos = [telic.Example(query="q", note="n")]
    state = ProgramState.of(program)
    again = ProgramState.from_json(json.loads(json.dumps(state.to_json())))
    assert again == state
    assert again.hash == state.hash
    fresh = state.apply(Pipeline())
    assert fresh.hops[1].demos == [telic.Example(query="q", note="n")]
    changed = state.with_instructions({"hops[0]": "Be brief."}).with_demos({"hops[1]": []})
    assert changed != state
    assert changed.apply(program).hops[0].signature.instructions == "Be brief."
    assert program.hops[1].demos != []
    with pytest.raises(KeyError, match="nowhere"):
        state.with_demos({"nowhere": []})


def test_save_and_load(tmp_path):
    program = Pipeline()
    program.think.predict.signature = program.think.predict.signature.with_instructions("Think well.")
    program.hops[0].demos = [telic.Example(query="é", note="ü")]
    program.provenance = {"optimizer": "by hand"}
    program.save(tmp_path / "program.json")
    text = (tmp_path / "program.json").read_text(encoding="utf-8")
    assert "é" in text
    assert json.loads(text)["telic"]["format"] == 1
    loaded = Pipeline()
    loaded.load(tmp_path / "program.json")
    assert loaded.think.predict.signature.instructions == "Think well."
    assert loaded.hops[0].demos == program.hops[0].demos
    assert loaded.provenance == {"optimizer": "by hand"}


class Other(telic.Module):
    def __init__(self):
        self.answer = telic.Predict("question -> answer")


def test_files_that_do_not_load_say_why(tmp_path):
    path = tmp_path / "p.json"
    with pytest.raises(ProgramFileError, match="no program file"):
        Pipeline().load(path)
    path.write_text('{"telic": {"form')
    with pytest.raises(ProgramFileError, match=r"damaged.*line 1"):
        Pipeline().load(path)
    path.write_text("[1, 2]")
    with pytest.raises(ProgramFileError, match="not a program"):
        Pipeline().load(path)
    path.write_text('{"telic": {"format": 99}, "state": {}}')
    with pytest.raises(ProgramFileError, match="format 99"):
        Pipeline().load(path)
    Other().save(path)
    with pytest.raises(ProgramFileError, match=r"another program.*Other") as caught:
        Pipeline().load(path)
    assert "answer" in str(caught.value)
    with pytest.raises(ProgramFileError, match="should end in"):
        Other().save(tmp_path / "p.pkl")


def test_a_state_that_does_not_fit_changes_nothing(tmp_path):
    program = Other()
    program.answer.demos = [telic.Example(question="q", answer="a")]
    before = ProgramState.of(program)
    state = Other().dump_state()
    state["answer"]["signature"]["fields"][0]["name"] = "enquiry"
    with pytest.raises((ProgramFileError, SignatureError), match="enquiry"):
        program.load_state(state)
    assert ProgramState.of(program) == before


def test_a_program_with_only_one_way_can_be_called_both_ways():
    class Sync(telic.Module):
        def __init__(self):
            self.p = telic.Predict("q -> a")

        def forward(self, q):
            return self.p(q=q)

    class Async(telic.Module):
        def __init__(self):
            self.p = telic.Predict("q -> a")

        async def aforward(self, q):
            return await self.p.acall(q=q)

    import asyncio

    lm = ScriptedLM(lambda _: chat(a="yes"))
    with telic.context(lm=lm):
        for cls in (Sync, Async):
            assert cls()(q="?").a == "yes"
            assert asyncio.run(cls().acall(q="?")).a == "yes"
    assert Async().async_capable()
    assert not Sync().async_capable()


def test_batch_keeps_order_and_reports_failures():
    def reply(text: str) -> str:
        number = text.split("number ")[1].split()[0]
        return chat(a=number) if number != "3" else "nonsense without any field [[ ## b ## ]]"

    program = telic.Predict("q -> a: int")
    examples = [telic.Example(q=f"number {i} ").with_inputs("q") for i in range(6)]
    with telic.context(lm=ScriptedLM(reply), max_repairs=0):
        results, failed, errors = program.batch(
            examples, num_threads=3, return_failed_examples=True, disable_progress_bar=True
        )
    assert [r.a if r is not None else None for r in results] == [0, 1, 2, None, 4, 5]
    assert failed == [examples[3]]
    assert len(errors) == 1


def test_program_saved_by_dspy_loads(tmp_path):
    fields = [
        {"prefix": "Question:", "description": "${question}"},
        {"prefix": "Answer:", "description": "short"},
    ]
    signature = {"instructions": "Answer briefly.", "fields": fields}
    state = {
        "traces": [],
        "train": [],
        "demos": [{"question": "q", "answer": "a"}],
        "signature": signature,
        "lm": None,
    }
    row = {"answer": state, "metadata": {"dependency_versions": {"python": "3.11"}}}
    (tmp_path / "p.json").write_text(json.dumps(row))
    program = Other()
    program.load(tmp_path / "p.json")
    assert program.answer.signature.instructions == "Answer briefly."
    assert program.answer.demos == [telic.Example(question="q", answer="a")]
