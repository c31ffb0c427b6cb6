"""Training of an extractive reader on passages that were retrieved."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telic._json import dumps, stable_hash
from telic._lazy import require
from telic.errors import DataError, RunMismatchError
from telic.retrieval.late_interaction.training.checkpoint import Checkpoints, new_folder
from telic.retrieval.late_interaction.training.settings import LearningSettings
from telic.retrieval.late_interaction.training.train_encoder import encoder_of
from telic.systems.colbert_qa.reader.data import ReadingData, ReadingExample, reading_hash
from telic.systems.colbert_qa.reader.span_reader import SpanReader
from telic.systems.colbert_qa.reader.windows import Windows

if TYPE_CHECKING:
    from telic.retrieval.late_interaction.encoder.encoder import Encoder

_RECORD = "reader.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSettings(LearningSettings):
    """How a reader is trained.

    Attributes:
        wrong: pieces without the answer that go with one that has it.
        piece: tokens of a passage in a window, while learning.
        stride: from one window of a passage to the next.
    """

    wrong: int = 2
    piece: int = 160
    stride: int = 96
    learning_rate: float = 5e-5


@dataclass(frozen=True, slots=True)
class ReaderReport:
    """What came of a training.

    Attributes:
        folder: of the reader.
        examples: questions that were learnt from.
        left_out: questions without a passage that holds the answer word for word.
        steps: that were made.
        losses: of each.
        seconds: of learning.
    """

    folder: Path
    examples: int
    left_out: int
    steps: int
    losses: tuple[float, ...]
    seconds: float

    @property
    def reader(self) -> SpanReader:
        """The trained reader."""
        return SpanReader(self.folder)


def train_reader(
    examples: Sequence[ReadingExample],
    base: Any,
    out: str | Path,
    settings: ReaderSettings | None = None,
    *,
    callbacks: Iterable[Any] = (),
) -> ReaderReport:
    """Train a head, and the body under it, to point at answers in retrieved passages.

    The loss counts every place in the passages that reads as an answer (see `model.marginal_loss`). A
    training that was killed goes on when it is called again; one that is done is not done again.

    Args:
        examples: questions with answers and the passages a retriever found.
        base: what the body begins with: an `Encoder`, or a name or folder for `Encoder.load`.
        out: folder of the reader; `transformers` opens it as `BertForQuestionAnswering`.
        settings: how.
        callbacks: told after each step (see `TrainingProgress`).

    Raises:
        DataError: no example has a passage with its answer.
        RunMismatchError: `out` holds another reader, or another training that was not finished.
        MissingExtraError: the extra `finetune` is not installed.
        ModelWeightsError: the base cannot be read.
    """
    require("torch", extra="finetune", purpose="training a reader")
    chosen = settings or ReaderSettings()
    encoder, out = encoder_of(base), Path(out).expanduser()
    fingerprint = stable_hash([reading_hash(examples), asdict(chosen), encoder.fingerprint])
    done = _finished(out, fingerprint)
    if done is not None:
        return done
    data = _data(examples, encoder, chosen)
    checkpoints = Checkpoints(out.with_name(f".{out.name}.training"), fingerprint)
    weights, state = _learn(data, encoder, chosen, checkpoints, tuple(callbacks))
    report = ReaderReport(
        out, len(data), len(examples) - len(data), state.step, tuple(state.losses), state.seconds
    )
    _write(report, weights, encoder, chosen, fingerprint)
    checkpoints.remove()
    return report


def _data(examples: Sequence[ReadingExample], base: Encoder, settings: ReaderSettings) -> ReadingData:
    windows = Windows(base.files.tokenizer, piece=settings.piece, stride=settings.stride)
    data = ReadingData(examples, windows, settings.wrong, settings.seed)
    if not len(data):
        raise DataError(
            f"None of the {len(examples)} questions has a passage that holds its answer word for word, so "
            "there is nothing that a reader could learn to point at."
        )
    return data


def _learn(
    data: ReadingData,
    base: Encoder,
    settings: ReaderSettings,
    checkpoints: Checkpoints,
    callbacks: tuple[Any, ...],
) -> tuple[dict[str, Any], Any]:
    from telic.retrieval.late_interaction.training.body import BertShape, layer_of, weights_of
    from telic.retrieval.late_interaction.training.learning import Learning
    from telic.retrieval.late_interaction.training.machine import device_of
    from telic.systems.colbert_qa.reader.model import marginal_loss, span_logits, with_head

    checkpoint, device = base.files.checkpoint, device_of(settings)
    shape = BertShape.from_config(checkpoint.config, checkpoint.folder)
    headed = with_head(weights_of(checkpoint), shape, settings.seed)
    weights = {name: weight.to(device) for name, weight in headed.items()}
    lowest = -1 if settings.top_layers is None else shape.layers - settings.top_layers
    learnt = sorted(name for name in weights if layer_of(name, shape) >= lowest)

    def loss(number: int) -> Any:
        windows, groups, spans = data.of_pass(number, settings.batch_size)
        begins, ends = span_logits(weights, shape, windows, settings.dropout)
        return marginal_loss(begins, ends, groups, spans)

    steps = settings.total_steps(len(data))
    learning = Learning(
        weights, learnt, loss, settings, steps, checkpoints, device=device, callbacks=callbacks
    )
    state = learning.run()
    return weights, state


def _write(
    report: ReaderReport, weights: dict[str, Any], base: Encoder, settings: ReaderSettings, fingerprint: str
) -> None:
    safe = require("safetensors.torch", extra="finetune", purpose="writing a reader")
    config = {**base.files.checkpoint.config, "architectures": ["BertForQuestionAnswering"]}
    record = {
        "fingerprint": fingerprint,
        "base": {"name": base.name, "fingerprint": base.fingerprint},
        "settings": asdict(settings),
        "report": {**asdict(report), "folder": None},
    }
    with new_folder(report.folder) as made:
        named = {
            name if name.startswith("qa_outputs") else f"bert.{name}": value.detach().cpu().contiguous()
            for name, value in weights.items()
        }
        safe.save_file(named, made / "model.safetensors", {"format": "pt"})
        (made / "config.json").write_text(dumps(config, indent=1), encoding="utf-8")
        (made / _RECORD).write_text(dumps(record, indent=1), encoding="utf-8")
        tokenizer = base.files.tokenizer.to_str(pretty=False)
        (made / "tokenizer.json").write_text(tokenizer, encoding="utf-8")


def _finished(out: Path, fingerprint: str) -> ReaderReport | None:
    try:
        record = json.loads((out / _RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if record["fingerprint"] != fingerprint:
        raise RunMismatchError(
            f"'{out}' holds a reader of other data or settings. Name another folder, or remove it."
        )
    told = record["report"]
    return ReaderReport(**{**told, "folder": out, "losses": tuple(told["losses"])})
