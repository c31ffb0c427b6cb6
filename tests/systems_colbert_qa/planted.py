"""Questions whose words mean other words in the passages: no model can know which, training can find out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import telic
from telic.retrieval.late_interaction.encoder.encoder import Encoder
from telic.runtime.rng import rng
from tests.retrieval_training.tiny import tiny_bert

ASKED = [f"asked{letter}" for letter in "abcdef"]
SAID = [f"said{letter}" for letter in "abcdef"]
CITIES = [f"city{letter}" for letter in "abcdefghijklmnopqrst"]


@dataclass(frozen=True)
class World:
    """Passages, and questions that they answer."""

    corpus: list[dict[str, str]]
    train: list[telic.Example]
    dev: list[telic.Example]
    words: list[str]


def world(seed: int = 0) -> World:
    """In each city six things have a value of their own; some values also stand where nobody asks."""
    corpus, questions, values = [], [], []
    for c, city in enumerate(CITIES):
        for a, (asked, said) in enumerate(zip(ASKED, SAID, strict=True)):
            value = f"value{chr(97 + c)}{chr(97 + a)}"
            values.append(value)
            corpus.append({"id": f"{city}-{said}", "text": f"the {said} of {city} is {value}."})
            question = telic.Example(question=f"what is the {asked} of {city}?", answer=value)
            questions.append(question.with_inputs("question"))
    random = rng(seed, "world")
    for number, value in enumerate(random.sample(values, 30)):
        corpus.append(
            {"id": f"stray-{number}", "text": f"{value} and {random.choice(values)} met in the road."}
        )
    random.shuffle(questions)
    words = [*ASKED, *SAID, *CITIES, *values, "the", "of", "is", "what", "and", "met", "in", "road"]
    return World(corpus, questions[:70], questions[70:], words)


def encoder(folder: Path, words: list[str]) -> Encoder:
    """A random encoder that knows the words."""
    return Encoder.load(tiny_bert(folder, words), passage_length=24, query_length=16)
