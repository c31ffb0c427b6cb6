"""A model that runs in this process, on llama.cpp."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import cached_property
from pathlib import Path
from typing import Any

from telic.lm.embedded import loaded
from telic.lm.embedded.options import Options, window
from telic.lm.embedded.runner import Counters, Job, Runner
from telic.lm.embedded.scheduler import QueueClosedError, Waiting
from telic.lm.embedded.wire import Answer, bodies, shared_text
from telic.lm.weights.adapters import check_base, find_adapter, trained_format
from telic.lm.weights.catalogue import CATALOGUE
from telic.lm.weights.facts import Facts, facts
from telic.lm.weights.folder import folder, locate, resolve, short_name
from telic.types import Capabilities, Choice, Request, Response, Usage
from telic.types.chunk import Chunk


class EmbeddedEngine:
    """Asks a model in this process. Light: the model is loaded at the first call, once for all engines of the
    same file and options.

    Coroutines serve it best: each is only an entry in the queue, and the more of them wait, the better the
    scheduler can put prompts with the same beginning one after the other.

    Args:
        model: `"smollm2-135m"`, another name of `telic models list`, or a path that ends in `.gguf`;
            `local/` in front is ignored.
        adapter: a LoRA on the model: a GGUF file, or the folder of a trained model.
        **options: `n_ctx`, `slots`, `threads`, `reproducible`, `prefix_reuse`, `patience`; see `Options`.

    Raises:
        ModelWeightsError: no such model, or (at the first call) its weights cannot be had; no such adapter,
            or it was made for another model.
        LMConfigurationError: an unknown option.
    """

    native_async = True

    def __init__(self, model: str, adapter: str | Path | None = None, **options: Any) -> None:
        self.name = short_name(model)
        self.options = Options.of(options)
        self._path = locate(model)
        self._adapter = None if adapter is None else find_adapter(adapter)
        self._loading = threading.Lock()
        self._runner: Runner | None = None
        self._finalizer: weakref.finalize[Any, Any] | None = None

    @classmethod
    def shared(cls, model: str, **options: Any) -> EmbeddedEngine:
        """An engine of `model`; all of them share one loaded model, whatever their adapters."""
        return cls(model, **options)

    @cached_property
    def endpoint(self) -> str:
        """`local:` and the beginning of the weights' SHA-256; with an adapter, `+` and that of its own."""
        known = CATALOGUE.get(self.name)
        base = f"local:{(known.sha256 if known else self._facts.sha256)[:16]}"
        return base if self._adapter is None else f"{base}+{self._adapter.sha256[:16]}"

    @cached_property
    def capabilities(self) -> Capabilities:
        """What the model can do; the window is what one slot holds."""
        about = CATALOGUE.get(self.name) or self._facts
        return Capabilities(
            chat=about.chat,
            completion=True,
            json_schema=True,
            grammar=True,
            context_window=window(self.options, about.context_window),
        )

    @cached_property
    def preferred_adapter(self) -> str | None:
        """`"completion"` for the small models of the catalogue: plain lines help them more than chat
        turns. Of a trained model, or under an adapter, what it was trained for.
        """
        known = self.name in CATALOGUE
        if self._adapter is not None and self._adapter.format is not None:
            trained: str | None = self._adapter.format
        else:
            trained = "completion" if known else trained_format(self._path)
        return "completion" if trained == "completion" else None

    @property
    def counters(self) -> Counters | None:
        """What the loaded model has done so far; `None` while it is not loaded."""
        return self._runner.counters if self._runner is not None else None

    def complete(self, request: Request) -> Response:
        """Ask, blocking. See `Engine.complete`."""
        began = time.perf_counter()
        runner, jobs, placed = self._begin(request)
        try:
            results = [job.future.result() for job in jobs]
        except BaseException:
            runner.stop(placed)
            raise
        return _response(request, results, time.perf_counter() - began)

    async def acomplete(self, request: Request) -> Response:
        """Ask, on the running loop. A cancelled task frees its slot at the next token."""
        began = time.perf_counter()
        if self._runner is None:
            await asyncio.to_thread(self._loaded)  # fetching and loading take a while
        runner, jobs, placed = self._begin(request)
        try:
            results = await asyncio.gather(*(asyncio.wrap_future(job.future) for job in jobs))
        except BaseException:
            runner.stop(placed)
            raise
        return _response(request, results, time.perf_counter() - began)

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Ask, and give the answer as it is written. Closing the generator frees the slot."""
        from telic.lm.embedded.streaming import heard_chunks

        if self._runner is None:
            await asyncio.to_thread(self._loaded)
        began = time.perf_counter()
        jobs = [Job(request, body, self._adapter) for body in bodies(request)]
        async with aclosing(heard_chunks(jobs, lambda: self._submit(request, jobs))) as chunks:
            async for chunk in chunks:
                yield chunk
        response = _response(request, [job.future.result() for job in jobs], time.perf_counter() - began)
        for index, choice in enumerate(response.choices[len(jobs) :], len(jobs)):
            yield Chunk(choice.text or "", choice.reasoning, finish_reason=choice.finish_reason, index=index)
        yield Chunk(usage=response.usage, model=response.model, cost=response.cost)

    def count_tokens(self, request: Request) -> int:
        """Exact number of prompt tokens, chat template included. Loads the model, but does not ask it."""
        with self._loaded().adapted.using(None) as (native, _):
            if request.prompt is not None:
                answer = native.post("/tokenize", {"content": request.prompt, "add_special": True})
                return len(answer["tokens"])
            body = {"messages": list(request.messages or ())}
            answer = native.post("/v1/chat/completions/input_tokens", body)
            return int(answer["input_tokens"])

    def close(self) -> None:
        """Give the model back; memory is freed when no other engine uses it. May be used again."""
        with self._loading:
            self._runner = None
            held = self._finalizer.detach() if self._finalizer is not None else None
        if held is not None:
            loaded.release(*held[2])

    @property
    def _facts(self) -> Facts:
        return facts(self._path, folder())

    def _begin(self, request: Request) -> tuple[Runner, list[Job], list[Waiting[Job]]]:
        jobs = [Job(request, body, self._adapter) for body in bodies(request)]
        runner, placed = self._submit(request, jobs)
        return runner, jobs, placed

    def _submit(self, request: Request, jobs: list[Job]) -> tuple[Runner, list[Waiting[Job]]]:
        while True:
            runner = self._loaded()
            try:
                return runner, runner.submit(jobs, shared_text(request))
            except QueueClosedError:
                continue  # another thread closed this engine just now: load the model again

    def _loaded(self) -> Runner:
        runner = self._runner
        if runner is not None:
            return runner
        with self._loading:
            if self._runner is None:
                path = resolve(self.name, fetch=_fetch)
                known = facts(path, folder())
                if self._adapter is not None:
                    check_base(self._adapter, path, known.sha256, known.architecture)
                self._runner = loaded.acquire(path, self.options, known.context_window)
                self._finalizer = weakref.finalize(self, loaded.release_later, path, self.options)
                self._finalizer.atexit = False
            return self._runner


def _fetch(name: str) -> Path:
    from telic.lm.weights.pull import pull

    return pull(name)


def _response(request: Request, results: list[tuple[Choice, Answer]], latency: float) -> Response:
    choices = [choice for choice, _ in results]
    # Greedy answers are all the same: one was written, and stands for as many as were wanted.
    choices *= max(1, int(request.params.get("n", 1)) // len(choices))
    usages = [Usage.from_json(answer.usage) for _, answer in results]
    usage = Usage(
        usages[0].prompt_tokens,
        sum(one.completion_tokens for one in usages),
        usages[0].cached_tokens,
    )
    return Response(tuple(choices), usage, request.model, cost=0.0, latency=latency)
