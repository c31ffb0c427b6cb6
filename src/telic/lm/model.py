"""`LM("provider/model")`: a hosted, local or embedded model by name."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from telic.errors import LMConfigurationError, LMUnsupportedFeatureError
from telic.lm import permission
from telic.lm.base import BaseLM
from telic.lm.engine import Engine
from telic.lm.state import SECRET_PARAMS
from telic.runtime.settings import settings
from telic.runtime.steps import Do, Step
from telic.types import Capabilities, Message, Request, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from telic.lm.provider import Provider, ReinforceJob, TrainingJob
    from telic.types.chunk import Chunk

_CONNECTION = (
    "api_base",
    "base_url",
    "api_key",
    "api_version",
    "headers",
    "extra_headers",
    "organization",
    "timeout",
    "deadline",
    "backoff",
    "dialect",
    "capabilities",
    "context_window",
    "engine_options",
    "adapter",
)
"""Options that say how a model is reached; they go to the engine, and into no request."""


_PARAMS = frozenset(
    {
        "temperature",
        "top_p",
        "n",
        "stop",
        "max_tokens",
        "max_completion_tokens",
        "presence_penalty",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "seed",
        "stream",
        "stream_options",
        "user",
    }
)
"""Parameters that every engine passes on, or acts upon."""


class LM(BaseLM):
    """A model by name: `LM("openai/gpt-4o-mini")`, `LM("local/smollm2-135m")`,
    `LM("hosted_vllm/llama-2-13b-chat", api_base=…)`.

    The part before the slash chooses the engine: `local/` runs in this process (extra `local`),
        OpenAI-compatible
    providers and servers are spoken to over HTTP, every other provider through the bridge (extra `bridge`).

    Answers are recorded in the store before they are returned, and taken from it when the same request is
    made again (`cache=False` asks anew, and still records). The key of a request covers the endpoint, the
    model, all parameters, the messages and `rollout_id`, and no secret.

    Args:
        model: `provider/name`.
        model_type: `"chat"`, or `"text"` to continue plain text.
        temperature: sampling temperature; `None` leaves it to the provider (0 on the embedded engine).
        max_tokens: most tokens to write.
        cache: take answers from the record.
        callbacks: told of each call of this LM.
        num_retries: tries after a passing failure (429, 5xx, time-outs, broken connections).
        api_base: base URL of the server, for providers that are not at their usual place.
        api_key: the key; by default taken from the provider's environment variable.
        timeout: seconds a single attempt may take.
        deadline: seconds that all attempts together may take.
        context_window: tokens of prompt plus answer, where the server does not tell; longer prompts are then
            noticed before they are sent.
        capabilities: what the model can do, where that is known better here than by its name, such as
            `{"tools": True}` for a server of one's own that was started to parse tool calls.
        provider: who finetunes and launches the model; by default as its name says.
        finetuning_model: the model that is trained, where that is another one.
        launch_kwargs: given to the provider's `launch` and `kill`.
        train_kwargs: how the model is trained, unless told otherwise.
        use_developer_role: system messages are sent under the role `developer`.
        engine: an `Engine` to use as it is, or `"auto"`.
        async_engine: accepted for compatibility; an engine serves both ways.
        prompt_cache: accepted for compatibility; servers reuse equal prefixes by themselves.
        adapter: for `local/`, a LoRA put on the model: a GGUF file, or the folder of a trained model. LMs
            with different adapters share one base in memory, and may be asked in turn.
        trained: of a finetuned model: `{"base": …, "folder": …}`, kept in saved programs; see
            `telic.finetune`.
        **kwargs: sent with every request (`top_p`, `stop`, `seed`, …); for `local/`, also engine options
            in `engine_options={"n_ctx": 8192, "slots": 2, …}`.

    Raises:
        LMConfigurationError: the name has no provider, or no engine serves it.
    """

    recorded: ClassVar[bool] = True

    def __init__(
        self,
        model: str,
        model_type: Literal["chat", "text", "responses"] = "chat",
        temperature: float | None = None,
        max_tokens: int | None = None,
        cache: bool = True,
        callbacks: list[Any] | None = None,
        num_retries: int = 3,
        provider: Any = None,
        finetuning_model: str | None = None,
        launch_kwargs: dict[str, Any] | None = None,
        train_kwargs: dict[str, Any] | None = None,
        use_developer_role: bool = False,
        engine: Engine | Literal["auto"] = "auto",
        async_engine: Any = None,
        prompt_cache: Any = None,
        *,
        trained: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(model, str) or "/" not in model.strip("/"):
            raise LMConfigurationError(
                f"LM({model!r}): name the provider too, as in 'openai/gpt-4o-mini' or 'local/smollm2-135m'."
            )
        self._connection = {name: kwargs.pop(name) for name in _CONNECTION if name in kwargs}
        super().__init__(model, model_type, temperature, max_tokens, cache, callbacks, num_retries, **kwargs)
        if settings.reasoning_rules:
            from telic.lm.reasoning_rules import ruled

            self.kwargs = ruled(model, self.kwargs)
        self.provider = provider
        self.finetuning_model = finetuning_model
        self.launch_kwargs = launch_kwargs or {}
        self.train_kwargs = train_kwargs or {}
        self.use_developer_role = use_developer_role
        self.trained = None if trained is None else dict(trained)
        self._engine: Engine | None = None if engine == "auto" else engine
        self._making = threading.Lock()

    @property
    def engine(self) -> Engine:
        """The engine that answers, made at first use."""
        if self._engine is None:
            with self._making:
                if self._engine is None:
                    from telic.lm.engines import engine_for

                    self._engine = engine_for(self.model, num_retries=self.num_retries, **self._connection)
        return self._engine

    def _asked(self) -> Engine:
        """The engine, about to be asked."""
        engine = self.engine
        permission.check(engine, self.model)
        return engine

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do through its engine."""
        able = self.engine.capabilities
        if self.model_type == "text" and able.chat:
            from dataclasses import replace

            return replace(able, chat=False, completion=True)
        return able

    @property
    def endpoint(self) -> str:
        """Base URL or weights hash."""
        return self.engine.endpoint

    @property
    def native_async(self) -> bool:  # type: ignore[override]
        """Whether coroutines serve the engine better than threads."""
        return self.engine.native_async

    @property
    def context_window(self) -> int | None:  # type: ignore[override]
        """Tokens of prompt plus answer, where known."""
        return self.engine.capabilities.context_window

    @property
    def preferred_adapter(self) -> str | None:  # type: ignore[override]
        """Plain text for the embedded engine's small models (measured), nothing in particular otherwise."""
        return getattr(self.engine, "preferred_adapter", None)

    @property
    def supports_function_calling(self) -> bool:  # type: ignore[override]
        """Native tool calls."""
        return self.engine.capabilities.tools

    @property
    def supports_reasoning(self) -> bool:  # type: ignore[override]
        """Native reasoning text."""
        return self.engine.capabilities.reasoning

    @property
    def supports_response_schema(self) -> bool:  # type: ignore[override]
        """Answers held to a JSON schema."""
        return self.engine.capabilities.json_schema

    @property
    def supported_params(self) -> set[str]:  # type: ignore[override]
        """Names of the request parameters that the model takes, by OpenAI's names."""
        able = self.engine.capabilities
        extra = ({"tools", "tool_choice", "parallel_tool_calls"} if able.tools else set()) | (
            {"response_format"} if able.json_schema or able.json_object else set()
        )
        return set(_PARAMS) | extra | ({"reasoning_effort"} if able.reasoning else set())

    def forward(
        self, prompt: str | None = None, messages: list[Message] | None = None, **kwargs: Any
    ) -> Response:
        """Ask the engine, without record or budget. Returns the OpenAI-shaped `Response`."""
        return self._asked().complete(self._direct_request(prompt, messages, kwargs))

    async def aforward(
        self, prompt: str | None = None, messages: list[Message] | None = None, **kwargs: Any
    ) -> Response:
        """`forward` on the running loop."""
        return await self._asked().acomplete(self._direct_request(prompt, messages, kwargs))

    def asking(self, request: Request) -> Step:
        """The step that asks the engine."""
        engine = self._asked()
        return Do(lambda: engine.complete(request), lambda: engine.acomplete(request))

    def astream(
        self, prompt: str | None = None, messages: list[Message] | None = None, **kwargs: Any
    ) -> AsyncIterator[Chunk]:
        """Ask the engine, without record or budget, and give the answer chunk by chunk.

        Raises:
            LMUnsupportedFeatureError: the engine cannot stream.
        """
        stream = getattr(self._asked(), "stream", None)
        if stream is None:
            raise LMUnsupportedFeatureError(
                f"The engine of {self.model} cannot stream.", feature="stream", model=self.model
            )
        chunks: AsyncIterator[Chunk] = stream(self._direct_request(prompt, messages, kwargs))
        return chunks

    def streaming(self, request: Request, hear: Callable[[Chunk], None]) -> Step:
        """The step that asks the engine and tells `hear` of each chunk, where the engine can stream."""
        stream = getattr(self._asked(), "stream", None)
        if stream is None:
            return self.asking(request)
        from telic.lm.streaming import streaming_step

        return streaming_step(lambda: stream(request), hear, self.model)

    def finetune(
        self,
        train_data: list[dict[str, Any]],
        train_data_format: Any,
        train_kwargs: dict[str, Any] | None = None,
    ) -> TrainingJob:
        """Train the model in a thread.

        Args:
            train_data: rows of the format, as adapters' `format_finetune_data` makes them.
            train_data_format: `"chat"` or `"completion"`; `None` to go by the rows.
            train_kwargs: how to train, as the backend takes it; added to the LM's own.

        Returns:
            A job, whose `result()` is the trained LM, or the exception that ended it.

        Raises:
            LMUnsupportedFeatureError: the provider trains no models.
        """
        from telic.lm import provider

        return provider.finetune(self, train_data, train_data_format, train_kwargs)

    def reinforce(self, train_kwargs: dict[str, Any] | None = None) -> ReinforceJob:
        """Begin to reinforce the model, step by step; raises as `finetune` does."""
        from telic.lm import provider

        return provider.reinforce(self, train_kwargs)

    def launch(self, launch_kwargs: dict[str, Any] | None = None) -> None:
        """Have the provider start what serves the model."""
        self.infer_provider().launch(self, {**self.launch_kwargs, **(launch_kwargs or {})})

    def kill(self, launch_kwargs: dict[str, Any] | None = None) -> None:
        """Have the provider stop it."""
        self.infer_provider().kill(self, {**self.launch_kwargs, **(launch_kwargs or {})})

    def infer_provider(self) -> Provider:
        """Who trains the model: the provider that was given, else by its name."""
        from telic.lm import provider

        return provider.provider_of(self)

    def count_tokens(self, request: Request) -> int | None:
        """Exact prompt tokens on the embedded engine; `None` where only the server knows."""
        return self.engine.count_tokens(request)

    def copy(self, **kwargs: Any) -> LM:
        """The same LM with some parameters changed; what says how it is reached makes a new engine."""
        connection = {name: kwargs.pop(name) for name in _CONNECTION if name in kwargs}
        other = super().copy(**kwargs)
        assert isinstance(other, LM)
        other._making = threading.Lock()
        if connection or kwargs.get("model"):
            other._connection = {**self._connection, **connection}
            other._engine = None
        return other

    def dump_state(self) -> dict[str, Any]:
        """What it takes to make this LM again; no key, no address."""
        state = super().dump_state()
        options: Mapping[str, Any] = self._connection.get("engine_options") or {}
        adapter = self._connection.get("adapter")
        state = {**state, "engine_options": dict(options)} if options else state
        state = state if adapter is None else {**state, "adapter": str(adapter)}
        own_layout = settings.state_layout != "dspy"
        return {**state, "trained": dict(self.trained)} if self.trained and own_layout else state

    def reached_as(self, other: Any) -> LM:
        """This LM at the address of `other`, with its key, where that is one of the same provider; else as it
        is.
        """
        if not isinstance(other, LM) or other.model.partition("/")[0] != self.model.partition("/")[0]:
            return self
        made = self.copy()
        made._connection = {**other._connection, "adapter": None, **self._connection}
        made._engine = None
        return made

    def close(self) -> None:
        """Release the engine; the LM may be used again."""
        if self._engine is not None:
            self._engine.close()

    async def aclose(self) -> None:
        """`close`, for async programs."""
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        state = {k: v for k, v in self.__dict__.items() if k not in ("_engine", "_making")}
        state["_connection"] = {k: v for k, v in self._connection.items() if k not in SECRET_PARAMS}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._engine = None
        self._making = threading.Lock()
