"""`BootstrapFinetune`, with a backend that learns a table: what is taught, what is trained, what is kept."""

from __future__ import annotations

import json
import os
import shutil
import tempfile

import pytest

import telic
from telic.errors import BudgetExceededError, CompileError, ProgramFileError, TrainingError
from telic.finetune import TrainingSet
from telic.optimize import BootstrapFinetune
from telic.testing import ScriptedBackend, check_deterministic, check_resume
from tests.scripted import RecordedLM, ScriptedLM, chat

CAPITALS = {"France": "Paris", "Peru": "Lima", "Japan": "Tokyo", "Kenya": "Nairobi", "Cuba": "Havana"}
ROWS = [telic.Example(country=c, capital=k).with_inputs("country") for c, k in CAPITALS.items()]


def right(example, prediction, trace=None):
    return prediction.capital == example.capital


def country_in(text):
    asked = text.rpartition("country ## ]]\n")[2]
    return asked.partition("\n")[0].strip()


class Teacher(RecordedLM):
    """Knows the capitals, but for Cuba's."""

    def __init__(self, **kwargs):
        super().__init__(lambda text: chat(capital=self._said(country_in(text))), **kwargs)
        self.model = "scripted/teacher"

    def _said(self, country):
        return "Santiago" if country == "Cuba" else CAPITALS.get(country, "?")


class Pupil(RecordedLM):
    """Knows nothing."""

    def __init__(self, **kwargs):
        super().__init__(lambda text: chat(capital="Atlantis"), **kwargs)
        self.model = "scripted/pupil"


def program(lm=None):
    made = telic.Predict(telic.Signature("country -> capital", "Name the capital."))
    made.lm = lm
    return made


def trained_rows(backend, number=-1):
    """What the job of that number was taught, by last message."""
    job = backend.started[number][:16]
    return json.loads((backend.folder / f"{job}.json").read_text())["table"]


def test_a_pupil_learns_what_a_teacher_knows(tmp_path):
    backend = ScriptedBackend(tmp_path)
    pupil = program(Pupil())
    compiled = BootstrapFinetune(metric=right, backend=backend).compile(
        pupil, ROWS, teacher=program(Teacher()), valset=ROWS
    )
    assert [compiled(country=c).capital for c in ("France", "Kenya")] == ["Paris", "Nairobi"]
    assert pupil(country="France").capital == "Atlantis", "the student was changed"
    assert compiled.lm.trained["base"] == "scripted/pupil"
    assert len(trained_rows(backend)) == 4, "the run that the metric rejects was taught"
    assert compiled.report.ranking[0].mean - compiled.report.ranking[1].mean == pytest.approx(0.8)
    assert "4 of 5 runs" in compiled.report.notes[0]
    (row,) = compiled.provenance["training"]
    assert row["base"] == "scripted/pupil"
    assert row["examples"] == 4
    assert row["measured"] == {"metric": "right", "before": 0.0, "after": 0.8, "examples": 5}
    noted = json.loads((tmp_path / backend.started[0][:16] / "provenance.json").read_text())
    assert noted["measured"]["after"] == 0.8
    assert noted["about"] == {"program": "Predict", "metric": "right", "runs": 4, "of_runs": 5}


def test_without_a_metric_every_readable_answer_is_taught(tmp_path):
    backend = ScriptedBackend(tmp_path)
    unlabelled = [telic.Example(country=c).with_inputs("country") for c in CAPITALS]
    compiled = BootstrapFinetune(backend=backend).compile(
        program(Pupil()), unlabelled, teacher=program(Teacher())
    )
    assert len(trained_rows(backend)) == 5
    assert compiled(country="Cuba").capital == "Santiago"
    assert compiled.report.ranking == ()


def test_prompts_are_those_that_the_student_will_ask(tmp_path):
    demo = telic.Example(country="Italy", capital="Rome")
    teacher, pupil = program(Teacher()), program(Pupil())
    teacher.demos = pupil.demos = [demo]
    with_demos, without = (
        BootstrapFinetune(
            metric=right, exclude_demos=left_out, backend=ScriptedBackend(tmp_path / str(left_out))
        )
        for left_out in (False, True)
    )
    kept = with_demos.compile(pupil, ROWS, teacher=teacher)
    bare = without.compile(pupil, ROWS, teacher=teacher)
    assert [d.capital for d in kept.demos] == ["Rome"]
    assert bare.demos == []
    assert kept.provenance["training"][0]["data"] != bare.provenance["training"][0]["data"]
    assert bare(country="Peru").capital == "Lima"


class Two(telic.Module):
    def __init__(self):
        self.guess = telic.Predict("country -> capital")
        self.check = telic.Predict("country, capital -> verdict")

    def forward(self, country):
        capital = self.guess(country=country).capital
        return telic.Prediction(capital=capital, verdict=self.check(country=country, capital=capital).verdict)


def two(lm):
    made = Two()
    made.set_lm(lm)
    return made


def knows_both(**kwargs):
    def reply(text):
        return chat(verdict="yes") if "verdict" in text else chat(capital=CAPITALS[country_in(text)])

    return RecordedLM(reply, **kwargs)


@pytest.mark.parametrize("multitask", [True, False])
def test_one_model_for_all_predictors_or_one_each(tmp_path, multitask):
    backend = ScriptedBackend(tmp_path)
    optimizer = BootstrapFinetune(metric=right, multitask=multitask, backend=backend)
    compiled = optimizer.compile(two(Pupil()), ROWS, teacher=two(knows_both()))
    assert len(backend.started) == (1 if multitask else 2)
    assert (compiled.guess.lm.model == compiled.check.lm.model) is multitask
    assert len(trained_rows(backend)) == (10 if multitask else 5)
    told = compiled(country="Japan")
    assert (told.capital, told.verdict) == ("Tokyo", "yes")


def test_several_teachers_teach_together(tmp_path):
    backend = ScriptedBackend(tmp_path)
    cuban = ScriptedLM(lambda text: chat(capital="Havana"))
    cuban.model = "scripted/cuban"
    BootstrapFinetune(metric=right, backend=backend).compile(
        program(Pupil()), ROWS, teacher=[program(Teacher()), program(cuban)]
    )
    assert len(trained_rows(backend)) == 5


def test_options_and_adapters_may_differ_by_lm(tmp_path):
    backend, one, other = ScriptedBackend(tmp_path), Pupil(), Pupil(temperature=0.5)
    student = two(one)
    student.check.lm = other
    optimizer = BootstrapFinetune(
        metric=right,
        train_kwargs={one: {"epochs": 1}, other: {"epochs": 2}},
        adapter={one: telic.ChatAdapter(), other: telic.JSONAdapter()},
        backend=backend,
    )
    compiled = optimizer.compile(student, ROWS, teacher=two(knows_both()))
    assert [row["options"] for row in compiled.provenance["training"]] == [{"epochs": 1}, {"epochs": 2}]
    assert all("{" in answer for answers in trained_rows(backend).values() for answer in answers)
    with pytest.raises(CompileError, match="scripted/pupil"):
        BootstrapFinetune(train_kwargs={Teacher(): {}}, backend=backend).compile(student, ROWS)


@pytest.mark.parametrize("finished", [True, False])
def test_an_ensemble_teaches_one_model(tmp_path, finished):
    backend = ScriptedBackend(tmp_path)
    members = [program(Teacher()), program(Teacher(temperature=0.7)), program(Pupil())]
    for member in members:
        member._compiled = finished
    ensemble = telic.Ensemble(reduce_fn=telic.majority).compile(members)
    compiled = telic.distill(ensemble, program(Pupil()), trainset=ROWS, metric=right, backend=backend)
    assert compiled(country="Peru").capital == "Lima"
    assert len(trained_rows(backend)) == 4
    with pytest.raises(CompileError, match="one predictor"):
        telic.distill(ensemble, two(Pupil()), trainset=ROWS, backend=backend)


def test_what_cannot_be_trained_is_said_before_a_call(tmp_path):
    teacher = Teacher()
    with pytest.raises(TrainingError, match="no_such"):
        BootstrapFinetune(
            metric=right, train_kwargs={"no_such": 1}, backend=ScriptedBackend(tmp_path)
        ).compile(program(Pupil()), ROWS, teacher=program(teacher))
    with pytest.raises(TrainingError, match="Nothing is known that trains scripted/pupil"):
        BootstrapFinetune(metric=right).compile(program(Pupil()), ROWS, teacher=program(teacher))
    assert teacher.asked == []


def test_a_metric_that_rejects_everything_is_named(tmp_path):
    backend = ScriptedBackend(tmp_path)
    with pytest.raises(TrainingError, match="none of the 5 runs") as refused:
        BootstrapFinetune(metric=lambda e, p, trace=None: 0, backend=backend).compile(
            program(Pupil()), ROWS, teacher=program(Teacher())
        )
    assert "metric_threshold" in str(refused.value)
    assert backend.started == []


def test_a_training_that_fails_says_why_and_goes_on_from_the_runs(tmp_path):
    backend, teacher = ScriptedBackend(tmp_path, ends=["failed"]), Teacher()
    optimizer = BootstrapFinetune(metric=right, backend=backend)
    with pytest.raises(TrainingError, match="the script says so"):
        optimizer.compile(program(Pupil()), ROWS, teacher=program(teacher))
    asked = len(teacher.asked)
    compiled = optimizer.compile(program(Pupil()), ROWS, teacher=program(teacher))
    assert compiled(country="Peru").capital == "Lima"
    assert len(teacher.asked) == asked
    assert len(backend.started) == 2


def test_a_killed_compile_finds_its_job_again(tmp_path):
    folders = iter(range(1000))
    made: list[ScriptedBackend] = []

    def optimizer():
        return BootstrapFinetune(metric=right, multitask=False, backend=backend)

    for polls in (1, 3):
        backend = ScriptedBackend(tmp_path / str(next(folders)), polls=polls)
        made.append(backend)
        seen = check_resume(optimizer, two(Pupil()), trainset=ROWS, teacher=two(knows_both()), valset=ROWS)
        assert seen.kinds["replied"] == 2
        assert seen.deaths > 10
    assert [len(backend.started) for backend in made] == [2, 2], "a job was started twice"


class Dying(ScriptedBackend):
    """The process dies while it waits for the job."""

    def status(self, job):
        if self.left:
            self.left -= 1
            raise KeyboardInterrupt
        return super().status(job)


def test_killed_while_the_job_runs_it_is_not_started_again(tmp_path):
    backend = Dying(tmp_path, polls=2)
    backend.left = 1
    optimizer = BootstrapFinetune(metric=right, backend=backend)
    with pytest.raises(KeyboardInterrupt):
        optimizer.compile(program(Pupil()), ROWS, teacher=program(Teacher()))
    assert len(backend.started) == 1
    teacher = Teacher()
    compiled = optimizer.compile(program(Pupil()), ROWS, teacher=program(teacher))
    assert len(backend.started) == 1
    assert teacher.asked == []
    assert compiled(country="Peru").capital == "Lima"


def test_a_budget_of_calls_trains_on_what_there_is(tmp_path):
    many = [telic.Example(country=c, capital=c).with_inputs("country") for c in map(str, range(100))]
    backend = ScriptedBackend(tmp_path)
    echo = ScriptedLM(lambda text: chat(capital=country_in(text)))
    compiled = BootstrapFinetune(metric=right, backend=backend).compile(
        program(Pupil()), many, teacher=program(echo), valset=many, budget=telic.budget(calls=70)
    )
    assert len(trained_rows(backend)) == 64
    assert compiled.report.stopped is not None
    assert compiled.lm.trained is not None


class Priced(ScriptedBackend):
    def forecast(self, spec):
        from dataclasses import replace

        return replace(super().forecast(spec), usd=5.0)


def test_money_for_training_counts(tmp_path):
    backend = Priced(tmp_path)
    optimizer = BootstrapFinetune(metric=right, backend=backend)
    dear = telic.budget(usd=1.0, unknown_cost="ignore")
    compiled = optimizer.compile(program(Pupil()), ROWS, teacher=program(Teacher()), budget=dear)
    assert backend.started == []
    assert "takes about $5.00" in compiled.report.stopped
    assert compiled.lm.model == "scripted/pupil"
    with telic.budget(usd=10.0, unknown_cost="ignore") as enough:
        optimizer.compile(program(Pupil()), ROWS, teacher=program(Teacher()))
    assert enough.spent.usd == 5.0
    with pytest.raises(BudgetExceededError), telic.budget(seconds=10) as soon:
        soon.charge("Training", None, 3600.0)


def test_the_forecast_has_the_training(tmp_path):
    backend = Priced(tmp_path)
    forecast = BootstrapFinetune(metric=right, backend=backend).forecast(
        program(Pupil()), ROWS, teacher=program(Teacher()), valset=ROWS
    )
    assert any("Training takes besides: 1 job" in note for note in forecast.notes)
    assert backend.started == []
    assert forecast.models["scripted/teacher"] == 5


def compile_once():
    # The folder stands in the state, so it is named alike in every process.
    os.chdir(tempfile.mkdtemp())
    return BootstrapFinetune(metric=right, backend=ScriptedBackend("jobs")).compile(
        program(Pupil()), ROWS, teacher=program(Teacher()), valset=ROWS
    )


def test_it_moves_to_another_machine(tmp_path):
    backend = ScriptedBackend(tmp_path / "jobs")
    compiled = BootstrapFinetune(metric=right, backend=backend).compile(
        program(Pupil()), ROWS, teacher=program(Teacher()), valset=ROWS
    )
    compiled.save(tmp_path / "here" / "capitals.json")
    shutil.rmtree(tmp_path / "jobs")
    (tmp_path / "here").rename(tmp_path / "there")
    row = json.loads((tmp_path / "there" / "capitals.json").read_text())
    assert str(tmp_path) not in json.dumps(row["state"])
    loaded = program()
    loaded.load(tmp_path / "there" / "capitals.json", allow_unsafe_lm_state=True)
    assert loaded(country="Peru").capital == "Lima"
    loaded.save(tmp_path / "again" / "other.json")
    again = program()
    again.load(tmp_path / "again" / "other.json", allow_unsafe_lm_state=True)
    assert again(country="Japan").capital == "Tokyo"


def test_a_model_that_does_not_belong_is_refused(tmp_path):
    backend = ScriptedBackend(tmp_path / "jobs")
    compiled = BootstrapFinetune(backend=backend).compile(program(Pupil()), ROWS, teacher=program(Teacher()))
    file = tmp_path / "p.json"
    compiled.save(file)
    text = file.read_text()

    def refused(match):
        with pytest.raises(ProgramFileError, match=match):
            program().load(file, allow_unsafe_lm_state=True)

    file.write_text(text.replace('"base": "scripted/pupil"', '"base": "scripted/other"', 1))
    refused("trained from scripted/pupil, and cannot be put on scripted/other")
    file.write_text(text)
    (folder,) = (tmp_path / "p.models").iterdir()
    (folder / "weights.bin").write_text("x")
    refused(r"weights\.bin.*safetensors")
    shutil.rmtree(folder)
    refused("copy both")


def test_equal_in_every_process():
    check_deterministic(compile_once)


def test_the_training_set_can_be_read_before_anything_is_spent(tmp_path):
    optimizer = BootstrapFinetune(metric=right, backend=ScriptedBackend(tmp_path / "jobs"))
    sets = optimizer.training_data(program(Pupil()), ROWS, teacher=program(Teacher()))
    ((label, data),) = sets.items()
    assert label == "self"
    assert len(data) == 4
    read = TrainingSet.read(data.write(tmp_path / "rows.jsonl"))
    assert read.fingerprint == data.fingerprint
    assert not (tmp_path / "jobs").exists()


def test_prompts_and_weights_in_any_order(tmp_path):
    backend = ScriptedBackend(tmp_path)

    def optimizer():
        return telic.BetterTogether(
            right,
            p=telic.LabeledFewShot(k=2),
            w=BootstrapFinetune(metric=right, backend=backend, exclude_demos=True),
        )

    seen = check_resume(
        optimizer,
        program(Pupil()),
        trainset=ROWS,
        valset=ROWS,
        teacher=program(Teacher()),
        strategy="p -> w -> p",
        most=12,
    )
    assert len(backend.started) == 1
    rows = {row["strategy"]: row["score"] for row in seen.compiled.candidate_programs}
    assert rows == {"": 0.0, "p": 0.0, "p -> w": 80.0, "p -> w -> p": 80.0}
    assert seen.compiled(country="Peru").capital == "Lima"
    assert seen.compiled.candidate_programs[0]["strategy"] == "p -> w"


def test_an_output_that_may_be_none_is_taught_as_none(tmp_path):
    def reply(text):
        return chat(verdict="None") if "Cuba" in text else chat(verdict="known")

    backend = ScriptedBackend(tmp_path)
    student, teacher = (telic.Predict("country -> verdict: Optional[str]") for _ in range(2))
    student.lm, teacher.lm = Pupil(), RecordedLM(reply)
    compiled = BootstrapFinetune(backend=backend).compile(student, ROWS, teacher=teacher)
    assert len(trained_rows(backend)) == 5
    assert compiled(country="Cuba").verdict is None
    assert compiled(country="Peru").verdict == "known"
