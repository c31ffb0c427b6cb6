"""Examples as tokens: the prompt as the engine will read it, and the answer, which alone is learnt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telic._lazy import require
from telic.errors import TrainingError
from telic.finetune.data import TrainingExample, TrainingSet


@dataclass(frozen=True, slots=True)
class Row:
    """One example.

    Attributes:
        ids: tokens of prompt and answer.
        start: place of the answer's first token; those before it are read, not learnt.
        weight: what each of its tokens counts; negative where the answer is to become rarer.
    """

    ids: tuple[int, ...]
    start: int
    weight: float = 1.0

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def learnt(self) -> int:
        """Number of tokens that are learnt."""
        return len(self.ids) - self.start


class Tokens:
    """Turns examples into rows with a model's own tokenizer and chat template.

    The answer is cut into tokens by itself, as it will be when it is written: a prompt is read whole before
    the first token of the answer is chosen.

    Args:
        folder: of the model.
    """

    def __init__(self, folder: Path) -> None:
        transformers = require("transformers", extra="finetune", purpose="training")
        self.tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
        begun = self.tokenizer("")["input_ids"]
        self._first: list[int] = [at for at in begun if at == self.tokenizer.bos_token_id][:1]
        self._special = set(self.tokenizer.all_special_ids)

    @property
    def pad(self) -> int:
        """The token that fills a batch up; never looked at."""
        pad = self.tokenizer.pad_token_id
        return int(pad if pad is not None else self.tokenizer.eos_token_id or 0)

    def rows(self, data: TrainingSet) -> list[Row]:
        """The rows of a training set.

        Raises:
            TrainingError: the model has no chat template where one is needed, or it refuses an example.
        """
        chat = data.format != "completion" and not all(row.from_text for row in data.rows)
        if chat and not self.tokenizer.chat_template:
            raise TrainingError(
                "The model has no chat template, so chat turns cannot be written for it. Train it on data of "
                "the format 'completion' (as telic renders examples for models without chat)."
            )
        return [self._row(row, number) for number, row in enumerate(data.rows)]

    def _row(self, example: TrainingExample, number: int) -> Row:
        if example.from_text:
            prompt, answer = example.prompt_text, example.completion
            return self._made(prompt, answer, example, ends=self._end())
        prompt, answer = self._chat(example, number)
        return self._made(prompt, answer, example)

    def _made(self, prompt: str, answer: str, example: TrainingExample, ends: Sequence[int] = ()) -> Row:
        before = self._ids(prompt)
        if self._first and before[:1] != self._first:
            before = [*self._first, *before]
        after = [*self._ids(answer), *ends]
        weight = 1.0 if example.advantage is None else example.advantage
        return Row((*before, *after), len(before), weight)

    def _chat(self, example: TrainingExample, number: int) -> tuple[str, str]:
        """The text of the prompt, and of the answer up to the token that ends a turn."""
        turns = [dict(turn) for turn in example.prompt]
        answer = {"role": "assistant", "content": example.completion}
        prompt = self._template(turns, number, add_generation_prompt=True)
        whole = self._template([*turns, answer], number, add_generation_prompt=False)
        if not whole.startswith(prompt):
            # Some templates write past answers otherwise than the one that is asked for.
            return prompt, example.completion + (self.tokenizer.eos_token or "")
        return prompt, self._first_turn(whole[len(prompt) :])

    def _first_turn(self, text: str) -> str:
        """Up to the first special token: what comes behind it is never written by the model."""
        ends = [text.find(token) + len(token) for token in self.tokenizer.all_special_tokens if token in text]
        return text[: min(ends)] if ends else text + (self.tokenizer.eos_token or "")

    def _template(self, turns: list[dict[str, Any]], number: int, *, add_generation_prompt: bool) -> str:
        from jinja2.exceptions import TemplateError

        try:
            text: str = self.tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=add_generation_prompt
            )
        except TemplateError as error:
            raise TrainingError(f"The model's chat template refuses example {number}: {error}.") from error
        return text

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _end(self) -> list[int]:
        eos = self.tokenizer.eos_token_id
        return [] if eos is None else [int(eos)]


def check_lengths(rows: Iterable[Row], longest: int, what: str) -> None:
    """Refuse rows that do not fit.

    Raises:
        TrainingError: names the first ones, and what to do.
    """
    long = {number: len(row) for number, row in enumerate(rows) if longest and len(row) > longest}
    if long:
        named = ", ".join(f"{number} ({tokens:,} tokens)" for number, tokens in list(long.items())[:5])
        raise TrainingError(
            f"{len(long)} {what} are longer than the {longest:,} tokens that the model is trained with: "
            f"{named}{', …' if len(long) > 5 else ''}. Leave them out, shorten their prompts (fewer demos), "
            "or raise max_length where the model's window allows."
        )


def totals(rows: Sequence[Row]) -> Mapping[str, int]:
    """Tokens of rows: `read` in all, `learnt` of them, and the `longest` row."""
    return {
        "read": sum(map(len, rows)),
        "learnt": sum(row.learnt for row in rows),
        "longest": max(map(len, rows), default=0),
    }
