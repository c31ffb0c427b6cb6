"""Rounds of relevance-guided supervision: retrieve, supervise, train, index; then read (arXiv:2007.00814)."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from telic._json import dumps, stable_hash, write_atomic
from telic._lazy import require
from telic.errors import DataError, InputError
from telic.retrieval.late_interaction.training.progress import progress_lines
from telic.retrieval.late_interaction.training.settings import changed
from telic.retrieval.passage import Passage
from telic.retrieval.retriever import Retriever
from telic.systems.colbert_qa.journal import Journal
from telic.systems.colbert_qa.matching import AnswerMatcher
from telic.systems.colbert_qa.plan import Log, Plan, corpus_by_id, questions_of
from telic.systems.colbert_qa.program import open_round
from telic.systems.colbert_qa.reader.answering import read_all
from telic.systems.colbert_qa.reader.data import ReadingExample
from telic.systems.colbert_qa.reader.training import train_reader
from telic.systems.colbert_qa.report import ColBERTQAReport, RoundResult
from telic.systems.colbert_qa.settings import RoundSettings
from telic.systems.colbert_qa.supervision import supervise

EXTRACTIVE = "extractive"


def train_colbert_qa(
    corpus: Iterable[Any],
    trainset: Sequence[Any],
    devset: Sequence[Any],
    folder: str | Path,
    *,
    encoder: Any = "minilm",
    first: Retriever | None = None,
    reader: Any = EXTRACTIVE,
    settings: RoundSettings | None = None,
    log: Log | None = None,
    **changes: Any,
) -> ColBERTQAReport:
    """Adapt a retriever to a corpus and questions of which only the answers are known, and train a reader.

    Each round retrieves passages for the training questions with the model as it is, takes those that hold
    the answer and are ranked high as positives and those without it as negatives, trains on them, and indexes
    the corpus anew. After the last, a reader learns on what is retrieved for the training questions. All
    rounds are measured on `devset` with the same reader.

    What is done stands in `folder`, with a journal: the same call after a kill goes on where it was.

    Args:
        corpus: texts, mappings or passages (see `telic.retrieval.passage.passages`).
        trainset: examples with `question` and `answer` (or `answers`).
        devset: the same, held back.
        folder: of the run.
        encoder: what the first round begins with: a name or folder for `Encoder.load`, or an `Encoder`.
        first: ranks for the first round in the place of the untrained model: BM25 in the paper.
        reader: `"extractive"` trains one; a program with `question, context -> answer` reads as it is; `None`
            measures retrieval only.
        settings: how; single ones can be given as keywords, such as `rounds=3`.
        log: told what is done, in a line.

    Raises:
        DataError: corpus, trainset or devset is empty, an example has no question or answer, or no passage
            with an answer was found for any question.
        InputError: a setting makes no sense.
        RunMismatchError: `folder` holds a run of other data or settings.
        MissingExtraError: the extra `finetune` or `retrieval` is not installed.
    """
    require("torch", extra="finetune", purpose="training ColBERT-QA")
    if isinstance(reader, str) and reader != EXTRACTIVE:
        raise InputError(f'reader={reader!r}: "extractive", a program or None is needed.')
    plan = Plan(
        Path(folder),
        corpus_by_id(corpus),
        questions_of(trainset, "trainset"),
        questions_of(devset, "devset"),
        encoder,
        first,
        reader,
        changed(settings or RoundSettings(), changes, "train_colbert_qa"),
        log or (lambda line: None),
    )
    return _Run(plan).all()


class _Run:
    """One run: its plan, its journal, and what is at hand of it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        about = plan.about()
        self.journal = Journal(plan.folder, stable_hash(about), about)
        self.matcher = AnswerMatcher()
        self.progress = progress_lines(plan.log, every=20)

    def all(self) -> ColBERTQAReport:
        """Every round, the reader, the report."""
        for number in range(self.plan.settings.rounds + 1):
            self._round(number)
        reader = self._reader()
        answers = self._answers(reader)
        results = [self._result(number, answers) for number in range(self.plan.settings.rounds + 1)]
        seconds = sum(one.seconds for one in results) + self._noted("reader").get("seconds", 0.0)
        report = ColBERTQAReport(
            self.plan.folder,
            tuple(results),
            self.plan.settings.depths,
            self.plan.settings.read_depth,
            seconds,
        )
        write_atomic(self.plan.folder / "report.json", dumps(report.to_json(), indent=1))
        return report

    def _round(self, number: int) -> None:
        if number:
            self._once(f"round-{number}/supervise", lambda: self._supervise(number))
            self._once(f"round-{number}/train", lambda: self._train(number))
        if number or self.plan.first is None:
            self._once(f"round-{number}/index", lambda: self._index(number))
        self._once(f"round-{number}/rank", lambda: self._rank(number))

    def _supervise(self, number: int) -> dict[str, Any]:
        rankings = self._rankings(number - 1, "train")
        made = supervise(self.plan.train, rankings, self.plan.settings.supervision, self.matcher)
        if not made.examples:
            raise DataError(
                f"Round {number}: for none of the {len(self.plan.train)} questions a passage with its answer "
                f"is among the best {self.plan.settings.supervision.depth}. Begin with a better retriever "
                "(first=…), or raise supervision.depth."
            )
        rows = [asdict(example) for example in made.examples]
        write_atomic(self._place(number) / "examples.json", dumps(rows, indent=1))
        self.plan.log(
            f"round {number}: {len(rows)} questions with positives, {made.left_out} without, {made.deep} deep"
        )
        return {"examples": len(rows), "left_out": made.left_out, "deep": made.deep}

    def _train(self, number: int) -> dict[str, Any]:
        from telic.retrieval.late_interaction.training.train_encoder import train

        examples = json.loads((self._place(number) / "examples.json").read_text(encoding="utf-8"))
        before = self._encoder_of(number - 1) if self.plan.settings.continued else self.plan.encoder
        held_out = self.plan.held_out()
        report = train(
            before,
            [example for example in examples if example["query"] not in held_out],
            self._place(number) / "encoder",
            settings=self.plan.settings.training,
            validation=[example for example in examples if example["query"] in held_out] or None,
            callbacks=[self.progress],
        )
        self.plan.log(f"round {number}: trained {report}")
        return {"steps": report.steps, "kept": report.best, "losses": list(report.losses)}

    def _index(self, number: int) -> dict[str, Any]:
        from telic.retrieval.late_interaction.encoder.encoder import Encoder
        from telic.retrieval.late_interaction.retriever import LateInteraction
        from telic.retrieval.late_interaction.training.train_encoder import encoder_of

        place = self._place(number)
        if (place / "index").exists():
            shutil.rmtree(place / "index")  # it was cut short: the journal does not know it
        if number == 0 and not (place / "encoder").exists():
            # Kept with the run, so that it is complete in itself, wherever the base came from.
            encoder_of(self.plan.encoder).save(place / "encoder")
        encoder = Encoder.load(place / "encoder")
        LateInteraction.build(
            self.plan.corpus.values(), encoder=encoder, path=place / "index", **self.plan.settings.index
        )
        self.plan.log(f"round {number}: indexed {len(self.plan.corpus)} passages")
        return {"passages": len(self.plan.corpus)}

    def _rank(self, number: int) -> dict[str, Any]:
        first = self.plan.first if number == 0 else None
        retriever = first or open_round(self.plan.folder, number)
        wanted = {
            "train": (
                self.plan.train,
                max(self.plan.settings.supervision.depth, self.plan.settings.read_depth),
            ),
            "dev": (self.plan.dev, self.plan.settings.search_depth),
        }
        for name, (questions, depth) in wanted.items():
            found = _searched(retriever, [question.text for question in questions], depth)
            write_atomic(self._place(number) / f"{name}.json", dumps(found))
        ranks = self._ranks(number)
        hits = sum(rank is not None and rank <= self.plan.settings.read_depth for rank in ranks)
        self.plan.log(
            f"round {number}: success@{self.plan.settings.read_depth} {100 * hits / len(ranks):.1f} %"
        )
        return {"ranks": ranks}

    def _reader(self) -> Any:
        if not self._extractive:
            return self.plan.reader
        out = self.plan.folder / "reader"
        rankings = self._rankings(self.plan.settings.rounds, "train")
        examples = [
            ReadingExample(q.text, q.answers, tuple(p.text for p in ranking[: self.plan.settings.read_depth]))
            for q, ranking in zip(self.plan.train, rankings, strict=True)
        ]
        report = train_reader(
            examples, self.plan.encoder, out, self.plan.settings.reading, callbacks=[self.progress]
        )
        told = {"steps": report.steps, "left_out": report.left_out, "seconds": report.seconds}
        self.journal.once("reader", lambda: told)
        self.plan.log(f"reader: {report.steps} steps in {report.seconds / 60:.1f} min")
        return report.reader

    def _result(self, number: int, answers: list[list[str]] | None) -> RoundResult:
        told = self._noted(f"round-{number}/supervise")
        names = [f"round-{number}/{part}" for part in ("supervise", "train", "index", "rank")]
        return RoundResult(
            number,
            tuple(self._noted(f"round-{number}/rank")["ranks"]),
            tuple(question.answers for question in self.plan.dev),
            None if answers is None else tuple(answers[number]),
            told.get("examples", 0),
            told.get("left_out", 0),
            round(sum(self._noted(name).get("seconds", 0.0) for name in names), 1),
        )

    def _answers(self, reader: Any) -> list[list[str]] | None:
        """What the reader reads in each round's passages."""
        if reader is None:
            return None
        if self._extractive:
            return list(self.journal.once("read", lambda: self._read(reader)))
        # The journal cannot tell one program from another; what it reads stands in the store.
        return self._read(reader)

    def _read(self, reader: Any) -> list[list[str]]:
        questions = [question.text for question in self.plan.dev]
        contexts = [
            [passage.text for passage in ranking[: self.plan.settings.read_depth]]
            for number in range(self.plan.settings.rounds + 1)
            for ranking in self._rankings(number, "dev")
        ]
        # All rounds at once: most passages are found in several, and an extractive reader reads each once.
        read = read_all(reader, questions * (self.plan.settings.rounds + 1), contexts)
        self.plan.log(f"read {len(read)} times")
        return [read[begin : begin + len(questions)] for begin in range(0, len(read), len(questions))]

    def _once(self, name: str, work: Callable[[], Any]) -> Any:
        def timed() -> Any:
            began = time.perf_counter()
            made = work()
            spent = round(time.perf_counter() - began, 2)
            return {**made, "seconds": spent} if isinstance(made, dict) else made

        return self.journal.once(name, timed)

    def _noted(self, name: str) -> dict[str, Any]:
        if not self.journal.has(name):
            return {}
        known: dict[str, Any] = self.journal.once(name, dict)
        return known

    def _ranks(self, number: int) -> list[int | None]:
        return [
            next((at for at, p in enumerate(ranking, 1) if self.matcher.holds(p.text, q.answers)), None)
            for q, ranking in zip(self.plan.dev, self._rankings(number, "dev"), strict=True)
        ]

    def _rankings(self, number: int, name: str) -> list[list[Passage]]:
        found = json.loads((self._place(number) / f"{name}.json").read_text(encoding="utf-8"))
        return [[self.plan.corpus[identity] for identity in ranking] for ranking in found]

    def _encoder_of(self, number: int) -> Any:
        return self._place(number) / "encoder" if number else self.plan.encoder

    @property
    def _extractive(self) -> bool:
        return isinstance(self.plan.reader, str)

    def _place(self, number: int) -> Path:
        return self.plan.folder / f"round-{number}"


def _searched(retriever: Retriever, queries: list[str], depth: int, at_once: int = 64) -> list[list[str]]:
    found: list[list[str]] = []
    for begin in range(0, len(queries), at_once):
        for ranking in retriever.search(queries[begin : begin + at_once], depth):
            found.append([passage.id for passage in ranking])
    return found
