"""Rows as the originals have them, brought into our fields."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from io import StringIO
from typing import Any

from telic.datasets.gsm8k import parse_number

Row = Mapping[str, Any]


def renamed(*same: str, **names: str) -> Any:
    """A shape that keeps the fields `same` and takes `ours=theirs`."""

    def shape(row: Row) -> dict[str, Any]:
        return {**{name: row[name] for name in same}, **{ours: row[theirs] for ours, theirs in names.items()}}

    return shape


def gsm8k(row: Row) -> dict[str, Any] | None:
    """The number after `####` is the answer; what stands before it, the solution."""
    solution, _, answer = row["answer"].rpartition("####")
    number = parse_number(answer)
    if number is None:
        return None
    lines = solution.strip()
    return {"question": row["question"], "answer": number, "solution": lines, "steps": len(lines.split("\n"))}


def svamp(row: Row) -> dict[str, Any] | None:
    """Body and question are one text."""
    number = parse_number(str(row["Answer"]))
    if number is None:
        return None
    body = row["Body"].strip()
    body = body if body.endswith((".", "?", "!")) else f"{body}."
    return {
        "id": row["ID"], "question": f"{body} {row['Question'].strip()}", "answer": number,
        "equation": row["Equation"], "op": row["Type"],
    }  # fmt: skip


def arith(row: Row) -> dict[str, Any]:
    """The equation without its `X=`."""
    equation = row["lEquations"][0].strip()
    equation = re.sub(r"^\s*[xX]\s*=\s*", "", equation)
    answer = float(row["lSolutions"][0])
    return {
        "id": f"agg-{row['iIndex']}", "question": " ".join(row["sQuestion"].split()),
        "answer": int(answer) if answer.is_integer() else answer, "equation": equation,
        "n_ops": len(re.findall(r"[-+*/]", equation)),
    }  # fmt: skip


def game24(row: Row) -> dict[str, Any]:
    """Four numbers in one cell."""
    return {
        "id": f"g24-{row['Rank']}", "numbers": [int(n) for n in row["Puzzles"].split()],
        "human_solved_rate": row["Solved rate"], "rank": int(row["Rank"]),
    }  # fmt: skip


def multihop(row: Row) -> dict[str, Any]:
    """HotpotQA and its kin: supporting facts as pairs, context by title, passages kept in the row."""
    facts, context = row["supporting_facts"], row["context"]
    pairs = list(zip(facts["title"], facts["sent_id"], strict=True))
    passages = zip(context["title"], context["sentences"], strict=True)
    return {
        "id": row["id"], "question": row["question"], "answer": row["answer"], "type": row["type"],
        "supporting_facts": [list(pair) for pair in pairs],
        "gold_titles": list(dict.fromkeys(title for title, _ in pairs)),
        "context_titles": list(context["title"]),
        "passages": [f"{title} | {''.join(sentences).strip()}" for title, sentences in passages],
    }  # fmt: skip


def musique(row: Row) -> dict[str, Any] | None:
    """Only answerable questions; passages kept in the row."""
    if not row.get("answerable", True):
        return None
    paragraphs = row["paragraphs"]
    steps = [{"question": s["question"], "answer": s["answer"]} for s in row["question_decomposition"]]
    return {
        "id": row["id"], "question": row["question"], "answer": row["answer"],
        "answer_aliases": list(row["answer_aliases"]), "hops": row["id"].partition("__")[0],
        "decomposition": steps,
        "gold_titles": [p["title"] for p in paragraphs if p["is_supporting"]],
        "passages": [f"{p['title']} | {p['paragraph_text']}" for p in paragraphs],
    }  # fmt: skip


def hover(row: Row) -> dict[str, Any]:
    """Supporting facts as pairs."""
    return {
        "id": row["uid"], "claim": row["claim"], "label": row["label"], "num_hops": row["num_hops"],
        "supporting_facts": row["supporting_facts"],
        "gold_titles": list(dict.fromkeys(title for title, _ in row["supporting_facts"])),
        "hotpotqa_id": row["hpqa_id"],
    }  # fmt: skip


def squad(row: Row) -> dict[str, Any]:
    """Every accepted answer once; the passage in the row."""
    answers = list(dict.fromkeys(row["answers"]["text"]))
    return {
        "id": row["id"], "question": row["question"], "answers": answers, "title": row["title"],
        "answerable": bool(answers), "passages": [row["context"]],
    }  # fmt: skip


def strategyqa(row: Row) -> dict[str, Any]:
    """Facts as a list, whether they came as one or as a text."""
    facts = row["facts"]
    return {
        "id": row["qid"], "question": row["question"], "answer": bool(row["answer"]), "term": row["term"],
        "description": row["description"], "facts": [facts] if isinstance(facts, str) else list(facts),
    }  # fmt: skip


def pubmedqa(row: Row) -> dict[str, Any]:
    """Sections of the abstract side by side with their labels."""
    return {
        "id": str(row["pubid"]), "question": row["question"], "contexts": list(row["context"]["contexts"]),
        "labels": list(row["context"]["labels"]), "answer": row["final_decision"],
        "long_answer": row["long_answer"],
    }  # fmt: skip


def snips(row: Row) -> dict[str, Any]:
    """Pieces joined; each slot with its values and where they stand."""
    text = ""
    slots: dict[str, list[str]] = {}
    spans: list[list[Any]] = []
    for piece in row["pieces"]:
        start, text = len(text), text + piece["text"]
        if "entity" in piece:
            slots.setdefault(piece["entity"], []).append(piece["text"])
            spans.append([piece["entity"], start, len(text)])
    return {"text": text.strip(), "intent": row["intent"], "slots": slots, "spans": spans}


def read_json(text: str) -> list[Row]:
    """A JSON list of objects."""
    rows: list[Row] = json.loads(text)
    return rows


def read_csv(text: str) -> list[Row]:
    """CSV with a header line."""
    return list(csv.DictReader(StringIO(text)))


def read_snips(text: str) -> list[Row]:
    """One intent with its utterances, each in pieces."""
    ((intent, utterances),) = json.loads(text).items()
    return [{"intent": intent, "pieces": utterance["data"]} for utterance in utterances]
