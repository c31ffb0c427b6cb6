"""A loaded model at work: jobs in, choices out; shared by every engine with the same file and options."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from telic.errors import LMConfigurationError, LMError, LMInvalidRequestError, LMUnexpectedError
from telic.lm.embedded.adapting import Adapted
from telic.lm.embedded.native import NativeServer, process_id
from telic.lm.embedded.options import Options
from telic.lm.embedded.scheduler import Plan, Scheduler, Slot, Waiting
from telic.lm.embedded.wire import Answer
from telic.lm.weights.adapters import Adapter
from telic.types import Choice, Request


@dataclass(eq=False)
class Job:
    """One answer to write.

    Attributes:
        request: what it belongs to, for messages.
        body: what llama.cpp is asked.
        adapter: on the base while it answers.
        future: gives `(choice, answer)`.
        stopped: nobody wants it any more.
        heard: told each chunk as it comes, in the thread that writes.
    """

    request: Request
    body: dict[str, Any]
    adapter: Adapter | None = None
    future: Future[tuple[Choice, Answer]] = field(default_factory=Future)
    stopped: bool = False
    heard: Callable[[dict[str, Any]], None] | None = None


@dataclass
class Counters:
    """What a runner has done since it was loaded: answers, tokens, seconds of work."""

    answers: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


class Runner:
    """A model in memory, its slots and its queue. Thread-safe."""

    def __init__(self, path: Path, options: Options, trained: int) -> None:
        self.options = options
        self.counters = Counters()
        self._pid = process_id()
        plan: Plan[Job] = Plan([Slot(n) for n in range(options.slots)], options.patience)
        self.adapted = Adapted(
            lambda adapters: NativeServer(path, options, trained, adapters), lambda: self._scheduler.forget()
        )
        self._scheduler = Scheduler(plan, self._work, "telic-llama")
        self._running: set[Job] = set()
        self._lock = threading.Lock()

    def check_process(self) -> None:
        """Raise in a forked child, where llama.cpp's threads do not exist."""
        if self._pid != process_id():
            raise LMConfigurationError(
                "This process was forked after the embedded model was loaded, and a loaded model does not "
                "survive that. Start workers with the 'spawn' method, or call lm.close() before forking."
            )

    def submit(self, jobs: list[Job], text: str) -> list[Waiting[Job]]:
        """Queue the jobs of one request, which share a prompt and an adapter.

        Raises:
            QueueClosedError: the model was given up meanwhile.
            LMConfigurationError: this is a forked child.
        """
        self.check_process()
        # What was read under one adapter is worth nothing under another.
        return self._scheduler.submit([(job, _under(job.adapter) + text) for job in jobs])

    def stop(self, waiting: list[Waiting[Job]]) -> None:
        """Give up jobs: those in the queue now, those running at their next token."""
        for one in waiting:
            one.job.stopped = True
            if self._scheduler.drop(one):
                one.job.future.cancel()

    def _work(self, job: Job, slot: int) -> bool | None:
        if job.stopped or not job.future.set_running_or_notify_cancel():
            return None
        with self._lock:
            self._running.add(job)
        answer = Answer()
        began = time.perf_counter()

        def hear(chunk: dict[str, Any]) -> bool:
            answer.hear(chunk)
            if job.heard is not None and not job.stopped:
                job.heard(chunk)
            return job.stopped

        try:
            with self.adapted.using(job.adapter) as (native, told):
                placed = {"id_slot": slot, "cache_prompt": self.options.prefix_reuse, **told}
                native.ask({**job.body, **placed}, hear)
            choice = answer.choice(job.request)
        except LMInvalidRequestError as error:  # refused before anything was read
            job.future.set_exception(error)
            return None
        except LMError as error:
            job.future.set_exception(error)
            return job.stopped  # what a stopped job had read is held
        except (RuntimeError, ValueError, TypeError) as error:
            job.future.set_exception(LMUnexpectedError(f"{job.request.model}: llama.cpp failed: {error}"))
            return False
        else:
            self._count(answer, time.perf_counter() - began)
            job.future.set_result((choice, answer))
        finally:
            with self._lock:
                self._running.discard(job)
        return self.options.prefix_reuse

    def _count(self, answer: Answer, seconds: float) -> None:
        usage = answer.usage
        with self._lock:
            self.counters.answers += 1
            self.counters.prompt_tokens += usage.get("prompt_tokens", 0)
            self.counters.cached_tokens += (usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
            self.counters.completion_tokens += usage.get("completion_tokens", 0)
            self.counters.seconds += seconds

    def close(self, *, stop: bool = False) -> None:
        """Finish what is queued (or `stop` it) and free the model. Not to be called by its own threads."""
        if self._pid != process_id():
            return
        if stop:
            for job in self._scheduler.clear():
                job.future.cancel()
            with self._lock:
                for job in self._running:
                    job.stopped = True
        self._scheduler.close()
        self.adapted.native.close()


def _under(adapter: Adapter | None) -> str:
    return "" if adapter is None else f"\x02{adapter.sha256}\x00"
