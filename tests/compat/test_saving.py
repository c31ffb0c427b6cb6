"""States, and saving and loading, in DSPy's terms."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from tests.compat.scripts import chat, dummy, served
from tests.compat.target import dspy


class Pair(dspy.Module):
    """Two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.first = dspy.Predict("question -> query")
        self.second = dspy.ChainOfThought("question, query -> answer")

    def forward(self, question: str) -> Any:
        query = self.first(question=question).query
        return self.second(question=question, query=query)


# States.


def learnt() -> Any:
    program = Pair()
    program.first.demos = [dspy.Example(question="q", query="x").with_inputs("question")]
    program.second.predict.signature = program.second.predict.signature.with_instructions("Learnt.")
    return program


def test_state_by_path() -> None:
    state = learnt().dump_state()
    assert list(state) == ["first", "second.predict"]
    assert state["first"]["demos"] == [{"question": "q", "query": "x"}]
    assert state["second.predict"]["signature"]["instructions"] == "Learnt."


def test_fields_in_a_state() -> None:
    fields = dspy.Predict("question -> answer").dump_state()["signature"]["fields"]
    assert fields == [
        {"prefix": "Question:", "description": "${question}"},
        {"prefix": "Answer:", "description": "${answer}"},
    ]


def test_a_state_is_json() -> None:
    assert json.loads(json.dumps(learnt().dump_state())) == learnt().dump_state()


def test_a_state_goes_back() -> None:
    program = Pair()
    program.load_state(learnt().dump_state())
    assert program.first.demos[0]["query"] == "x"
    assert program.second.predict.signature.instructions == "Learnt."


def test_a_predictors_state() -> None:
    state = dspy.Predict("question -> answer").dump_state()
    assert set(state) >= {"signature", "demos", "traces", "train", "lm"}
    assert state["lm"] is None


def test_load_state_returns_the_predictor() -> None:
    predict = dspy.Predict("question -> answer")
    assert predict.load_state(dspy.Predict("question -> answer").dump_state()) is predict


@pytest.mark.parametrize("suffix", [".json", ".pkl"])
def test_save_and_load(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"program{suffix}"
    learnt().save(path)
    program = Pair()
    program.load(path, allow_pickle=suffix == ".pkl")
    assert program.first.demos[0]["question"] == "q"
    assert program.second.predict.signature.instructions == "Learnt."


def test_a_saved_file_has_states_by_path(tmp_path: Path) -> None:
    path = tmp_path / "program.json"
    learnt().save(path)
    row = json.loads(path.read_text())
    assert set(row) == {"first", "second.predict", "metadata"}
    assert "python" in row["metadata"]["dependency_versions"]


def test_a_lone_predictor_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "predict.json"
    predict = dspy.Predict("question -> answer")
    predict.demos = [dspy.Example(question="q", answer="a")]
    predict.save(path)
    loaded = dspy.Predict("question -> answer")
    loaded.load(path)
    assert loaded.demos[0]["answer"] == "a"


@pytest.mark.parametrize("name", ["program.txt", "program"])
def test_other_files_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError):
        Pair().save(tmp_path / name)


def test_pickles_are_not_read_unasked(tmp_path: Path) -> None:
    path = tmp_path / "program.pkl"
    learnt().save(path)
    with pytest.raises(ValueError, match="allow_pickle"):
        Pair().load(path)


def test_whole_programs(tmp_path: Path) -> None:
    folder = tmp_path / "whole"
    program = dspy.ChainOfThought("question -> answer")
    program.predict.demos = [dspy.Example(question="q", answer="a", reasoning="r")]
    program.save(folder, save_program=True)
    assert sorted(p.name for p in folder.iterdir()) == ["metadata.json", "program.pkl"]
    loaded = dspy.load(str(folder), allow_pickle=True)
    assert loaded.predict.demos[0]["answer"] == "a"
    assert loaded.predict.signature.equals(program.predict.signature)


def test_whole_programs_are_not_read_unasked(tmp_path: Path) -> None:
    folder = tmp_path / "whole"
    dspy.Predict("question -> answer").save(folder, save_program=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        dspy.load(str(folder))


def test_whole_programs_are_folders(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        dspy.Predict("question -> answer").save(tmp_path / "whole.json", save_program=True)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        dspy.load(str(tmp_path / "nothing"), allow_pickle=True)


def test_the_lm_is_saved_without_its_key() -> None:
    predict = dspy.Predict("question -> answer")
    predict.lm = dspy.LM("openai/gpt-4o-mini", temperature=0.5, max_tokens=10, api_key="sk-secret123")
    state = predict.dump_state()["lm"]
    assert (state["model"], state["temperature"], state["max_tokens"]) == ("openai/gpt-4o-mini", 0.5, 10)
    assert "sk-secret123" not in json.dumps(state)


def test_the_state_of_an_lm() -> None:
    assert dspy.LM("openai/gpt-4o-mini", temperature=1, max_tokens=100, num_retries=10).dump_state() == {
        "_dspy_lm_class": "dspy.clients.lm.LM",
        "model": "openai/gpt-4o-mini",
        "model_type": "chat",
        "cache": True,
        "num_retries": 10,
        "temperature": 1,
        "max_tokens": 100,
        "finetuning_model": None,
        "launch_kwargs": {},
        "train_kwargs": {},
    }


def test_the_lm_is_loaded() -> None:
    predict = dspy.Predict("question -> answer")
    predict.lm = dspy.LM("openai/gpt-4o-mini", temperature=0.5)
    loaded = dspy.Predict("question -> answer").load_state(predict.dump_state())
    assert isinstance(loaded.lm, dspy.LM)
    assert loaded.lm.kwargs["temperature"] == 0.5


class OwnLM(dspy.BaseLM):
    """A class of one's own."""

    def forward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
        raise NotImplementedError


def test_an_lm_of_ones_own_is_not_imported_unasked() -> None:
    predict = dspy.Predict("question -> answer")
    predict.lm = OwnLM("own/model")
    with pytest.raises(ValueError, match="allow_unsafe_lm_state"):
        dspy.Predict("question -> answer").load_state(predict.dump_state())


def test_demos_with_models_become_json() -> None:
    import pydantic

    class Point(pydantic.BaseModel):
        x: int

    predict = dspy.Predict("question -> answer")
    predict.demos = [dspy.Example(question=Point(x=1), answer="a")]
    assert predict.dump_state()["demos"] == [{"question": {"x": 1}, "answer": "a"}]


def test_a_loaded_program_behaves_alike(tmp_path: Path) -> None:
    path = tmp_path / "program.json"
    learnt().save(path)
    program = Pair()
    program.load(path)
    with served([chat(query="x"), chat(reasoning="r", answer="a")] * 2) as (server, _):
        learnt()(question="?")
        program(question="?")
    assert server.bodies[:2] == server.bodies[2:]


def test_logging_does_not_break() -> None:
    dspy.configure_dspy_loggers("dspy")
    dspy.disable_logging()
    dspy.enable_logging()
    assert logging.getLogger("dspy") is not None


def test_a_saved_file_names_what_dspy_compares(tmp_path: Path) -> None:
    path = tmp_path / "program.json"
    learnt().save(path)
    versions = json.loads(path.read_text())["metadata"]["dependency_versions"]
    assert set(versions) == {"python", "dspy", "cloudpickle"}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Pair().load(tmp_path / "gone.json")


def test_a_file_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "program.json"
    learnt().save(path)

    class Other(dspy.Module):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.third = dspy.Predict("question -> answer")

    with pytest.raises(KeyError):
        Other().load(path)


def test_a_program_of_the_main_script_is_saved_whole(tmp_path: Path) -> None:
    # Its class goes into the pickle by value, and with it what its code refers to: the module `dspy` itself.
    import cloudpickle

    space: dict[str, Any] = {"dspy": dspy, "__name__": "__main__"}
    exec(
        "class Whole(dspy.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.answer = dspy.Predict('question -> answer')\n"
        "    def forward(self, question):\n"
        "        return dspy.Prediction(answer=self.answer(question=question).answer)\n",
        space,
    )
    made = cloudpickle.loads(cloudpickle.dumps(space["Whole"]()))
    dummy({"answer": "x"})
    assert made(question="?").answer == "x"
