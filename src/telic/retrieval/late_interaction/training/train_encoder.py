"""`train`: an encoder learns from queries and passages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telic._json import dumps, stable_hash
from telic._lazy import require
from telic.errors import InputError, RunMismatchError
from telic.retrieval.late_interaction.training.batches import batch_of_pass
from telic.retrieval.late_interaction.training.checkpoint import Checkpoints, LearningState
from telic.retrieval.late_interaction.training.examples import TrainingExample, data_hash, training_examples
from telic.retrieval.late_interaction.training.machine import check_memory, device_of
from telic.retrieval.late_interaction.training.report import RECORD, TrainingReport
from telic.retrieval.late_interaction.training.settings import RetrievalSettings, changed
from telic.retrieval.late_interaction.training.validation import pool_of, reciprocal_ranks

if TYPE_CHECKING:
    from telic.retrieval.late_interaction.encoder.encoder import Encoder
    from telic.retrieval.late_interaction.training.progress import TrainingCallback
    from telic.retrieval.late_interaction.training.student import Student


def train(
    base: Any,
    examples: Iterable[Any],
    out: str | Path,
    *,
    settings: RetrievalSettings | None = None,
    validation: Iterable[Any] | None = None,
    pool: Sequence[str] = (),
    callbacks: Iterable[TrainingCallback] = (),
    licence: str | None = None,
    **changes: Any,
) -> TrainingReport:
    """Train a late-interaction encoder (needs the extras `retrieval` and `finetune`).

    The loss compares, by MaxSim, each query with its positive, with hard negatives, and with the passages of
    the other queries of its batch (ColBERT, arXiv:2004.12832; ColBERTv2, arXiv:2112.01488); where examples
    carry a teacher's scores and `distil` is set, the student's scores are drawn to them.

    The training stands in checkpoints beside `out`: killed and called again with the same arguments, it goes
    on and comes to the same weights. When it is done, `out` appears; called once more, that is what is
    returned.

    Args:
        base: an `Encoder`, or a name or folder for `Encoder.load`. Its settings (lengths, markers) are kept.
        examples: what to learn from, in any form that `training_examples` reads: triples, mappings, …
        out: folder of the trained encoder, in the layout that `Encoder.load`, pylate, sentence-transformers
            and, with a projection, ColBERT's own code read. `training.json` tells where it comes from.
        settings: how; single ones can be given as keywords, such as `steps=200`.
        validation: examples that are not learnt from: their MRR is measured before, on the way and after,
            and the best weights are kept.
        pool: further passages among which validation ranks, beside those of its examples.
        callbacks: told of each step (`TrainingProgress`); one that returns `False` ends the training.
        licence: of the result; by default that of the base, where it is known.

    Raises:
        MissingExtraError: PyTorch is not installed.
        DataError: there are no examples, or one has no positive.
        InputError: a setting makes no sense, or the memory is not enough; nothing was begun.
        ModelWeightsError: there is no such base, or it is of no kind that is trained here.
        RunMismatchError: `out` holds something else, or a training with other data or settings.
    """
    require("torch", extra="finetune", purpose="training an encoder")
    chosen = changed(settings or RetrievalSettings(), changes, "train")
    data = training_examples(examples)
    held_back = training_examples(validation) if validation is not None else []
    _check_teacher(chosen, data)
    encoder, target = encoder_of(base), Path(out).expanduser()
    provenance = _provenance(base, encoder, data, held_back, pool, chosen, licence)
    done = _finished(target, provenance)
    return done if done is not None else _trained(
        encoder, data, held_back, pool, chosen, target, provenance, tuple(callbacks)
    )  # fmt: skip


def _trained(
    encoder: Encoder,
    data: list[TrainingExample],
    held_back: list[TrainingExample],
    pool: Sequence[str],
    settings: RetrievalSettings,
    out: Path,
    provenance: dict[str, Any],
    callbacks: tuple[TrainingCallback, ...],
) -> TrainingReport:
    from telic.retrieval.late_interaction.training.learning import Learning, computing
    from telic.retrieval.late_interaction.training.student import Student

    device = device_of(settings)
    student = Student(encoder, settings, device)
    _check_memory(student, settings, encoder, device)
    ranked = pool_of(held_back, pool)

    def measure() -> float:
        with computing(settings, device):
            ranks = reciprocal_ranks(student, held_back, ranked, settings.depth)
        return sum(ranks) / len(ranks)

    checkpoints = Checkpoints(out.with_name(f".{out.name}.training"), provenance["fingerprint"])
    learning = Learning(
        student.weights,
        student.learnt(),
        lambda number: student.loss(batch_of_pass(data, number, settings), settings.dropout),
        settings,
        settings.total_steps(len(data)),
        checkpoints,
        device=device,
        measure=measure if held_back else None,
        callbacks=callbacks,
    )
    report = _report(out, learning.run(), provenance)
    _write(student, encoder, report)
    checkpoints.remove()
    return report


def _report(out: Path, state: LearningState, provenance: dict[str, Any]) -> TrainingReport:
    return TrainingReport(
        folder=out,
        steps=state.step,
        losses=tuple(state.losses),
        scores=tuple(state.scores),
        best=state.best if state.scores else state.step,
        seconds=round(state.seconds, 2),
        provenance=provenance,
    )


def _write(student: Student, encoder: Encoder, report: TrainingReport) -> None:
    from telic.retrieval.late_interaction.encoder.bert import Dense
    from telic.retrieval.late_interaction.encoder.saving import write_folder
    from telic.retrieval.late_interaction.training.student import LINEAR

    files = encoder.files
    arrays = {name: weight.detach().cpu().numpy() for name, weight in student.weights.items()}
    weight, bias = arrays.pop(f"{LINEAR}.weight", None), arrays.pop(f"{LINEAR}.bias", None)
    projection = None if weight is None or bias is None else Dense(weight, bias)
    write_folder(
        report.folder,
        tensors=arrays,
        config=files.checkpoint.config,
        tokenizer=files.tokenizer.to_str(pretty=False),
        settings=encoder.settings,
        projection=projection,
        pooling=files.pooling,
        texts={RECORD: dumps(report.to_json(), indent=1)},
    )


def _check_teacher(settings: RetrievalSettings, data: Sequence[TrainingExample]) -> None:
    if settings.distil and not any(example.teacher for example in data):
        raise InputError(f"distil={settings.distil}, but no example has scores of a teacher: see teach(…).")


def _check_memory(student: Student, settings: RetrievalSettings, encoder: Encoder, device: str) -> None:
    if device != "cpu":
        return
    length = min(settings.passage_length or encoder.settings.passage_length, encoder.settings.passage_length)
    tokens = settings.batch_size * (encoder.settings.query_length + (1 + settings.negatives) * length)
    layers = student.shape.layers if settings.top_layers is None else settings.top_layers
    check_memory(
        sum(weight.numel() for weight in student.weights.values()),
        sum(student.weights[name].numel() for name in student.learnt()),
        tokens,
        student.shape.hidden,
        layers,
    )


def encoder_of(base: Any) -> Encoder:
    """The encoder that a training begins with: itself, or loaded by name or folder.

    Raises:
        InputError: it is neither.
        ModelWeightsError: there is none.
    """
    from telic.retrieval.late_interaction.encoder.encoder import Encoder

    if isinstance(base, Encoder):
        return base
    if not isinstance(base, (str, Path)):
        raise InputError(f"A base is an Encoder, or a name or folder of one, not {base!r:.100}.")
    return Encoder.load(base)


def _provenance(
    base: Any,
    encoder: Encoder,
    data: list[TrainingExample],
    held_back: list[TrainingExample],
    pool: Sequence[str],
    settings: RetrievalSettings,
    licence: str | None,
) -> dict[str, Any]:
    facts = {
        "base": {"name": encoder.name, "fingerprint": encoder.fingerprint},
        "data": {"examples": len(data), "hash": data_hash(data)},
        "validation": {
            "examples": len(held_back),
            "hash": data_hash(held_back),
            "pool": stable_hash(list(pool)),
        },
        "settings": asdict(settings),
    }
    named = licence or _licence_of(base, encoder)
    return {"kind": "late-interaction encoder", "fingerprint": stable_hash(facts), "licence": named, **facts}


def _licence_of(base: Any, encoder: Encoder) -> str | None:
    """The licence of a base: of the catalogue, or of the training that it comes from."""
    from telic.lm.weights import CATALOGUE

    name = str(base if isinstance(base, (str, Path)) else encoder.name).removeprefix("local/")
    if name in CATALOGUE:
        return CATALOGUE[name].licence
    known = TrainingReport.read(Path(name))
    return None if known is None else known.provenance.get("licence")


def _finished(out: Path, provenance: dict[str, Any]) -> TrainingReport | None:
    known = TrainingReport.read(out)
    if known is None:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise RunMismatchError(f"'{out}' holds something else already. Name another folder.")
        return None
    if known.provenance["fingerprint"] != provenance["fingerprint"]:
        raise RunMismatchError(
            f"'{out}' holds an encoder that was trained on other data, from another base or with other "
            "settings. Name another folder, or remove it."
        )
    return known
