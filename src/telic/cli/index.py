"""`telic index`: indexes of passages: build, change, search, serve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer

from telic.cli.corpora import read_corpus
from telic.cli.exits import say
from telic.cli.output import Json, heading, line, print_facts, print_json, size
from telic.errors import DataError

index = typer.Typer(no_args_is_help=True, help="Indexes of passages, in a folder each: build, search, serve.")

_KINDS = ("bm25", "dense", "late", "hybrid")

Place = Annotated[Path, typer.Argument(metavar="INDEX", help="The folder of the index.")]
Sources = Annotated[
    list[Path],
    typer.Argument(metavar="CORPUS...", help="JSONL, CSV or TSV (also .gz), or folders of text files."),
]
Text = Annotated[
    list[str] | None,
    typer.Option("--text", metavar="FIELD", help="Field of the text; several are joined. By default 'text'."),
]
Identity = Annotated[str, typer.Option("--id", metavar="FIELD", help="Field of the id.")]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Encoder of dense and late: a name, a folder; by default the small one."
    ),
]


@index.command()
def build(
    path: Place,
    corpus: Sources,
    kind: Annotated[
        str,
        typer.Option(
            help="bm25 (words), dense (a vector each), late (a vector a token), hybrid (of bm25 and --with)."
        ),
    ] = "bm25",
    partner: Annotated[
        str, typer.Option("--with", help="The other half of a hybrid: dense or late.")
    ] = "dense",
    text: Text = None,
    identity: Identity = "id",
    language: Annotated[
        str, typer.Option(help="Of bm25: whose common words and endings are taken off; 'any' keeps all.")
    ] = "english",
    encoder: Model = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the index that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Make an index of a corpus."""
    if kind not in _KINDS or partner not in ("dense", "late"):
        raise typer.BadParameter(f"--kind is one of {', '.join(_KINDS)}; --with is dense or late.")
    _make_way(path, kind, force)
    began = perf_counter()
    passages = list(read_corpus(corpus, text=text or ("text",), identity=identity))
    if not passages:
        raise DataError("The corpus is empty.")
    _build(path, passages, kind, partner, None if language == "any" else language, encoder)
    facts = {
        "index": str(path),
        "kind": kind,
        "passages": len(passages),
        "bytes": _bytes(path),
        "seconds": round(perf_counter() - began, 2),
    }
    _show(facts, as_json)


@index.command()
def add(
    path: Place,
    corpus: Sources,
    text: Text = None,
    identity: Identity = "id",
    encoder: Model = None,
    as_json: Json = False,
) -> None:
    """Add passages to an index, all or none. An id that is there already is refused."""
    from telic.retrieval.kept_hybrid import change

    retriever = _opened(path, encoder)
    before = len(retriever)
    change(retriever, add=read_corpus(corpus, text=text or ("text",), identity=identity))
    count = len(retriever)
    _show({"index": str(path), "added": count - before, "passages": count}, as_json)


@index.command()
def delete(
    path: Place,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Of the passages to take out.")],
    encoder: Model = None,
    as_json: Json = False,
) -> None:
    """Take passages out of an index, all or none."""
    from telic.retrieval.kept_hybrid import change

    retriever = _opened(path, encoder)
    change(retriever, delete=ids)
    _show({"index": str(path), "deleted": len(set(ids)), "passages": len(retriever)}, as_json)


@index.command()
def search(
    path: Place,
    query: Annotated[str, typer.Argument(help="What to look for.")],
    k: Annotated[int, typer.Option("-k", min=1, help="Show so many passages.")] = 5,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where", metavar="NAME=VALUE", help="Only passages with this metadata; several add up."
        ),
    ] = None,
    encoder: Model = None,
    full: Annotated[bool, typer.Option("--full", help="Show whole passages.")] = False,
    as_json: Json = False,
) -> None:
    """Search an index."""
    from telic.retrieval.remote.server import rows

    wanted = _filter(where or [])
    found = _opened(path, encoder).search(query, k, filter=wanted)
    if as_json:
        print_json(rows(found))
        return
    if not found:
        line("Nothing was found.")
    for rank, passage in enumerate(found, 1):
        heading(f"{rank}  {passage.id}  {passage.score:.4g}")
        line(passage.text if full else _short(passage.text))


@index.command()
def stats(path: Place, encoder: Model = None, as_json: Json = False) -> None:
    """Show what an index holds."""
    facts = {"index": str(path), **_opened(path, encoder).stats(), "bytes": _bytes(path)}
    _show(facts, as_json)


@index.command()
def serve(
    path: Place,
    host: Annotated[
        str, typer.Option(help="Address to listen on; the default is reached from this machine only.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8893,
    encoder: Model = None,
) -> None:
    """Serve an index as ColBERT servers do: GET /api/search?query=…&k=…, until interrupted."""
    from telic.retrieval.remote.server import serve as run

    retriever = _opened(path, encoder)

    def started(url: str) -> None:
        say(f"{len(retriever):,} passages at {url}. In a program: telic.ColBERTv2({url!r}). Ctrl-C ends it.")

    run(retriever, host=host, port=port, started=started)


def _make_way(path: Path, kind: str, force: bool) -> None:
    from telic.retrieval.opening import kind_of

    if not (path / "manifest.json").exists():
        return
    if not force:
        raise typer.BadParameter(
            f"there is an index at '{path}' already. Add to it with 'telic index add', or say --force."
        )
    if (there := kind_of(path)) != kind:
        raise typer.BadParameter(
            f"the index at '{path}' is of kind {there}: delete the folder, or choose another."
        )


def _build(
    path: Path, passages: Sequence[Any], kind: str, partner: str, language: str | None, encoder: str | None
) -> None:
    """Build beside what is there, which is replaced when the new index is whole."""
    if kind in ("bm25", "dense"):
        _simple(passages, kind, language, encoder).save(path)
    elif kind == "late":
        from telic.retrieval.late_interaction.retriever import LateInteraction

        LateInteraction.build(passages, encoder=_encoder(encoder), path=path)
    else:
        from telic.retrieval.hybrid import Hybrid
        from telic.retrieval.kept_hybrid import keep_hybrid

        _build(path / "bm25", passages, "bm25", partner, language, encoder)
        _build(path / partner, passages, partner, partner, language, encoder)
        keep_hybrid(
            Hybrid({"bm25": _opened(path / "bm25", None), partner: _opened(path / partner, encoder)}), path
        )


def _simple(passages: Sequence[Any], kind: str, language: str | None, encoder: str | None) -> Any:
    if kind == "bm25":
        from telic.retrieval.lexical.bm25 import BM25

        return BM25(passages, language=language)
    from telic.retrieval.dense.dense import Dense

    return Dense(passages, _encoder(encoder))


def _opened(path: Path, encoder: str | None) -> Any:
    from telic.retrieval.opening import open_index

    made = _encoder(encoder)
    return open_index(path, made, made)


def _encoder(name: str | None) -> Any:
    """By name; `None` is telic's small encoder, which is loaded when it is needed."""
    if name is None:
        return None
    from telic.retrieval.late_interaction.encoder.encoder import Encoder

    return Encoder.load(name)


def _filter(conditions: Sequence[str]) -> Any:
    """`name=value`, where a value that reads as JSON may be that or the text."""
    from telic._json import decoded

    wanted: dict[str, list[Any]] = {}
    for condition in conditions:
        name, sign, value = condition.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"--where takes NAME=VALUE, not '{condition}'.")
        try:
            values = [value, decoded(value.encode())]
        except ValueError:
            values = [value]
        wanted[name] = values
    return wanted or None


def _show(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(facts)
        return
    print_facts({**facts, **({"bytes": size(facts["bytes"])} if "bytes" in facts else {})})


def _bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _short(text: str, width: int = 300) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= width else f"{flat[: width - 1]}…"
