"""The data sets that are known by name."""

from __future__ import annotations

from telic.datasets import shapes
from telic.datasets.spec import Hub, Spec, Web
from telic.errors import DataError

_GITHUB = "https://raw.githubusercontent.com"
_ARITH = f"{_GITHUB}/CogComp/arithmetic/9c8b5855e9d25dc312f25569fccb740cab6ab61e/data/questions.json"
_THOUGHTS = f"{_GITHUB}/princeton-nlp/tree-of-thought-llm/ab400345c5ea39d28ea6d7d3be0e417b11113c87"
_HOVER = f"{_GITHUB}/hover-nlp/hover/39b84697f196308f398a251a7aea9b82ae0f0562/data/hover/hover_"
_SNIPS = (
    f"{_GITHUB}/sonos/nlu-benchmark/b86ac7f1577868c42158d0dec77db50956046696/2017-06-custom-intent-engines"
)
_INTENTS = (
    "AddToPlaylist",
    "BookRestaurant",
    "GetWeather",
    "PlayMusic",
    "RateBook",
    "SearchCreativeWork",
    "SearchScreeningEvent",
)

_WORD_PROBLEMS = (
    Spec(
        "gsm8k", "Grade-school word problems of two to eight steps.", ("question",), "answer",
        "MIT", "openai/grade-school-math (Cobbe et al. 2021)",
        Hub("openai/gsm8k", {"train": "train", "test": "test"}, shapes.gsm8k, "main"),
    ),
    Spec(
        "svamp", "One-step word problems with numbers that distract.", ("question",), "answer",
        "MIT", "arkilpatel/SVAMP (Patel et al. 2021)",
        Hub("ChilleD/SVAMP", {"train": "train", "test": "test"}, shapes.svamp),
    ),
    Spec(
        "arith_aggregate", "Word problems of mostly one or two steps, with their equations.", ("question",),
        "answer", "MIT", "CogComp/arithmetic (Roy and Roth)",
        Web({"train": (_ARITH,)}, shapes.read_json, shapes.arith),
    ),
    Spec(
        "game24", "Make 24 of four numbers.", ("numbers",), "solution",
        "MIT", "princeton-nlp/tree-of-thought-llm (Yao et al. 2023)",
        Web({"train": (f"{_THOUGHTS}/src/tot/data/24/24.csv",)}, shapes.read_csv, shapes.game24),
    ),
)  # fmt: skip

_QUESTIONS = (
    Spec(
        "hotpotqa", "Questions over two Wikipedia paragraphs.", ("question",), "answer",
        "CC BY-SA 4.0", "HotpotQA (Yang et al. 2018)",
        Hub("hotpotqa/hotpot_qa", {"train": "train", "test": "validation"}, shapes.multihop, "distractor"),
        "corpus.jsonl.gz", "context_titles",
    ),
    Spec(
        "2wikimultihopqa", "Questions over several Wikipedia paragraphs, with chains of evidence.",
        ("question",), "answer", "Apache-2.0", "Alab-NII/2wikimultihop (Ho et al. 2020)",
        Hub("framolfese/2WikiMultihopQA", {"train": "train", "test": "validation"}, shapes.multihop),
        "corpus.jsonl.gz", "context_titles",
    ),
    Spec(
        "musique", "Questions of two to four hops, with their decomposition.", ("question",), "answer",
        "CC BY 4.0", "StonyBrookNLP/musique (Trivedi et al. 2022)",
        Hub("dgslibisey/MuSiQue", {"train": "train", "test": "validation"}, shapes.musique),
        "corpus.jsonl.gz", "context_paragraph_ids", "id",
    ),
    Spec(
        "hover", "Claims that need several Wikipedia articles to check.", ("claim",), "label",
        "CC BY-SA 4.0", "hover-nlp/hover (Jiang et al. 2020)",
        Web(
            {"train": (f"{_HOVER}train_release_v1.1.json",), "test": (f"{_HOVER}dev_release_v1.1.json",)},
            shapes.read_json, shapes.hover,
        ),
    ),
    Spec(
        "squad_v2_sample", "Questions about a passage, some without an answer.", ("context", "question"),
        "answers", "CC BY-SA 4.0", "SQuAD 2.0 (Rajpurkar et al. 2018)",
        Hub("rajpurkar/squad_v2", {"train": "train", "test": "validation"}, shapes.squad, "squad_v2"),
        "passages.jsonl.gz", "passage_id", "id", True,
    ),
    Spec(
        "strategyqa", "Yes-or-no questions that need a strategy.", ("question",), "answer",
        "MIT", "eladsegal/strategyqa (Geva et al. 2021)",
        Hub("ChilleD/StrategyQA", {"train": "train", "test": "test"}, shapes.strategyqa),
    ),
    Spec(
        "pubmedqa", "Questions that an abstract answers with yes, no or maybe.", ("question", "contexts"),
        "answer", "MIT", "pubmedqa/pubmedqa (Jin et al. 2019)",
        Hub("qiaojin/PubMedQA", {"train": "train"}, shapes.pubmedqa, "pqa_labeled"),
    ),
)  # fmt: skip

_LABELS = (
    Spec(
        "banking77", "77 intents of bank customers.", ("text",), "label",
        "CC BY 4.0", "PolyAI-LDN/task-specific-datasets (Casanueva et al. 2020)",
        Hub("mteb/banking77", {"train": "train", "test": "test"}, shapes.renamed("text", label="label_text")),
    ),
    Spec(
        "clinc150_small", "150 intents in ten domains, and out of scope.", ("text",), "label",
        "CC BY 3.0", "clinc/oos-eval (Larson et al. 2019)",
        Hub(
            "clinc/clinc_oos", {"train": "train", "dev": "validation", "test": "test"},
            shapes.renamed("text", label="intent"), "small",
        ),
    ),
    Spec(
        "snips_intent_slots", "Seven intents of a voice assistant, with their slots.", ("text",), "intent",
        "CC0-1.0", "sonos/nlu-benchmark (Coucke et al. 2018)",
        Web(
            {
                "train": tuple(f"{_SNIPS}/{i}/train_{i}_full.json" for i in _INTENTS),
                "test": tuple(f"{_SNIPS}/{i}/validate_{i}.json" for i in _INTENTS),
            },
            shapes.read_snips, shapes.snips, "replace",
        ),
    ),
    Spec(
        "scone_nli", "Does it follow? Inference under negation.", ("premise", "hypothesis"), "label",
        "CC0-1.0", "https://github.com/selenashe/ScoNe (She et al. 2023)",
    ),
    Spec(
        "sms_spam", "Text messages, spam or ham.", ("text",), "label",
        "CC BY 4.0", "UCI SMS Spam Collection (Almeida et al. 2011)",
        Hub("ucirvine/sms_spam", {"train": "train"}, shapes.renamed("label", text="sms"), "plain_text"),
    ),
)  # fmt: skip

_OTHERS = (
    Spec(
        "bfcl_single_turn", "Which function to call, with which arguments.", ("question", "functions"),
        "ground_truth", "Apache-2.0", "https://github.com/ShishirPatil/gorilla (Patil et al.)",
    ),
    Spec(
        "tau_retail", "Tasks of a shop's service agent, with a database and a policy.", ("instruction",),
        "actions", "MIT", "https://github.com/sierra-research/tau-bench (Yao et al. 2024)",
    ),
    Spec(
        "scifact", "Scientific claims and the abstracts that bear on them.", ("claim",), "label",
        "claims CC BY 4.0, abstracts ODC-By 1.0", "https://github.com/allenai/scifact (Wadden et al. 2020)",
        None, "corpus.jsonl.gz", "relevant_doc_ids", "id",
    ),
)  # fmt: skip

SPECS = {spec.name: spec for spec in (*_WORD_PROBLEMS, *_QUESTIONS, *_LABELS, *_OTHERS)}


def available() -> list[str]:
    """Names of all data sets that `load` knows."""
    return sorted(SPECS)


def info(name: str) -> Spec:
    """Fields, licence and source of a data set.

    Raises:
        DataError: there is none of that name; near ones are suggested.
    """
    from difflib import get_close_matches

    if name in SPECS:
        return SPECS[name]
    near = get_close_matches(name, SPECS, 1, 0.5)
    hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(available())}."
    raise DataError(
        f"There is no data set '{name}'. {hint} Files of your own: telic.datasets.from_csv, from_json."
    )
