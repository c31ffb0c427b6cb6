"""`streamify`: a program that yields while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any

from telic.program.ways import arun, run
from telic.runtime import cancel, scope as scopes, threads
from telic.runtime.pipe import End, Pipe
from telic.runtime.settings import settings
from telic.streaming.bind import Bound, bind, predictors_of
from telic.streaming.bridges import received
from telic.streaming.listener import StreamListener
from telic.streaming.session import Session
from telic.streaming.status import StatusCallback, StatusMessageProvider

Emit = Callable[[Any], None]


def streamify(
    program: Any,
    status_message_provider: StatusMessageProvider | None = None,
    stream_listeners: Sequence[StreamListener] | None = None,
    include_final_prediction_in_output_stream: bool = True,
    is_async_program: bool = False,
    async_streaming: bool = True,
) -> Callable[..., Any]:
    """Make a function that runs `program` and yields what happens while it does.

    It yields, in the order in which they come, a `StreamResponse` for what a field grows by that a listener
    wants (without listeners, a `StreamChunk` for every chunk of every answer), a `StatusMessage` for what the
    provider has something to say about, and last what the program returned; in between, what the program
    itself sends by `settings.send_stream`. An exception of the program is raised to the consumer. A consumer
    that stops iterating stops the program: the request under way is closed, so that the server can stop
    writing. Each call is on its own, and any number may run at a time.

    Args:
        program: a module, or any callable, sync or async. Not changed.
        status_message_provider: says what is told of tools, modules and LMs; by default only of tools.
        stream_listeners: the fields that are wanted.
        include_final_prediction_in_output_stream: yield what the program returned even where listeners
            heard something.
        is_async_program: use the program's async way even where it has a `forward` of its own.
        async_streaming: give an async generator; otherwise a plain one, which works under a running loop too.

    Raises:
        InputError: a listener's field is not there, or is in several predictors.
    """
    listeners = list(stream_listeners or ())
    streamed = _Streamed(
        program,
        status_message_provider or StatusMessageProvider(),
        bind(program, listeners) if listeners else None,
        include_final_prediction_in_output_stream,
        is_async_program,
    )

    def streamer(*args: Any, **kwargs: Any) -> Any:
        # The context of the call, not of the first step of the iteration.
        stream = streamed.asynchronously if async_streaming else streamed.blocking
        return stream(args, kwargs, copy_context())

    return streamer


class Sender:
    """What a streamed program finds in `settings.send_stream`: a way to yield things of its own."""

    def __init__(self, emit: Emit) -> None:
        self.send_nowait = emit

    async def send(self, item: Any) -> None:
        """Yield `item` to the consumer; `send_nowait(item)` does so from blocking code."""
        self.send_nowait(item)


class _Streamed:
    """A program with what is wanted of it."""

    def __init__(
        self,
        program: Any,
        provider: StatusMessageProvider,
        bound: Sequence[Bound] | None,
        always_final: bool,
        is_async: bool,
    ) -> None:
        self._program = program
        self._provider = provider
        self._bound = bound
        self._always_final = always_final
        self._is_async = is_async
        self._names = {id(predictor): path for path, predictor in predictors_of(program)}

    async def asynchronously(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], context: Context
    ) -> AsyncGenerator[Any, None]:
        """Run it as a task beside the consumer."""
        pipe: Pipe[Any] = Pipe()
        stop = cancel.Cancellation(context.get(cancel.current))

        async def work() -> None:
            cancel.current.set(stop)
            with self._heard(pipe.put) as finish:
                finish(await arun(self._program, args, kwargs, native=self._is_async))

        task = asyncio.get_running_loop().create_task(work(), context=context)
        task.add_done_callback(lambda done: pipe.close(_error_of(done)))
        try:
            async for item in pipe:
                yield item
        finally:
            if not task.done():
                stop.cancel()  # for what the program runs in threads
                task.cancel()
                await asyncio.wait((task,))
            stop.close()

    def blocking(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], context: Context
    ) -> Generator[Any, None, None]:
        """Run it in a thread beside the consumer."""
        queue: SimpleQueue[Any] = SimpleQueue()
        stop = cancel.Cancellation(context.get(cancel.current))

        def work() -> None:
            with self._heard(queue.put) as finish:
                finish(run(self._program, args, kwargs))

        def told(_: Any, error: BaseException | None) -> None:
            queue.put(End(error))

        threads.begin(work, told, context, stop)
        yield from received(queue, stop)

    @contextmanager
    def _heard(self, emit: Emit) -> Iterator[Emit]:
        """The block in which the program runs; gives what takes its result."""
        session = Session(emit, self._bound, self._names)
        callbacks = [*settings.callbacks, StatusCallback(self._provider, emit)]

        def finish(value: Any) -> None:
            if self._always_final or self._bound is None or not session.emitted:
                emit(value)

        with (
            settings.context(callbacks=callbacks, send_stream=Sender(emit)),
            scopes.within(stream=session),
        ):
            yield finish


def _error_of(task: asyncio.Task[None]) -> BaseException | None:
    return asyncio.CancelledError() if task.cancelled() else task.exception()
