"""`BaseLM`: what every language model is to a program, and the class to derive one's own from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TextIO

from telic.errors import ContextWindowExceededError, InputError, LMUnsupportedFeatureError
from telic.lm import history as histories
from telic.lm.call import call
from telic.lm.history import History, inspect_history
from telic.lm.openai_shape import response_from
from telic.lm.state import SECRET_PARAMS, constructor_of, state_of
from telic.runtime import scope as scopes
from telic.runtime.steps import Do, Step, adrive, drive
from telic.types import Capabilities, Constraint, Message, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from telic.types.chunk import Chunk


class BaseLM:
    """A language model as programs see it.

    Derive from it to bring your own: define `forward` (and `aforward`, where you can) to take
    `prompt` or `messages` and return an OpenAI-shaped object, with `choices[i].message.content` and `usage`.
    With an `astream` of the same arguments, an async generator of OpenAI-shaped chunks (or `Chunk`), its
    answers can be heard while they are written.

    Args:
        model: `provider/name`, for people and records.
        model_type: `"chat"` takes messages; `"text"` continues a prompt.
        temperature: sampling temperature; `None` leaves it to the model.
        max_tokens: most tokens to write; `None` leaves it to the model.
        cache: whether answers may be taken from the record (of classes that are `recorded`).
        callbacks: told of each call of this LM.
        num_retries: how often a passing failure is tried again.
        **kwargs: further parameters of every request.
    """

    recorded: ClassVar[bool] = False
    """Whether answers go to the store and come back from it. Off for users' own classes, which may keep state
    of their own; set it on a class whose answers depend on the request alone."""

    def __init__(
        self,
        model: str,
        model_type: Literal["chat", "text", "responses"] = "chat",
        temperature: float | None = None,
        max_tokens: int | None = None,
        cache: bool = True,
        callbacks: list[Any] | None = None,
        num_retries: int = 3,
        **kwargs: Any,
    ) -> None:
        self.model = model
        self.model_type = model_type
        self.cache = cache
        self.callbacks = callbacks or []
        self.num_retries = num_retries
        self.kwargs: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens, **kwargs}
        self.history = History()

    # What it can do. Adapters decide by this.

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do, for adapters to decide by."""
        known: Capabilities | None = self.__dict__.get("_capabilities")
        if known is None:
            known = self._capabilities = Capabilities(
                chat=self.model_type != "text",
                completion=self.model_type == "text",
                json_schema=self.supports_response_schema,
                tools=self.supports_function_calling,
                reasoning=self.supports_reasoning,
                context_window=self.context_window,
            )
        return known

    supports_function_calling: bool = False
    supports_reasoning: bool = False
    supports_response_schema: bool = False
    supported_params: set[str] = set()  # noqa: RUF012 - DSPy's name and type; replaced, never changed, by subclasses
    context_window: int | None = None
    native_async: bool = False
    """Whether `aforward` waits on the network, so that many coroutines serve it better than many threads."""
    trained: Mapping[str, Any] | None = None
    """Of a finetuned model: the `base` it was trained from, and the `folder` it is in."""
    preferred_adapter: str | None = None
    """Name of the adapter measured to suit this model best, where the user chose none."""

    @property
    def endpoint(self) -> str:
        """Who answers; part of every request's key."""
        return f"{type(self).__module__}.{type(self).__qualname__}"

    # Asking.

    def __call__(
        self, prompt: str | None = None, *, messages: list[Message] | None = None, **kwargs: Any
    ) -> list[Any]:
        """Ask in plain words; returns one string per answer (a dict where there is more than text)."""
        lm = self if "cache" not in kwargs else self.caching(kwargs.pop("cache"))
        return self.outputs(drive(call(lm, self._direct_request(prompt, messages, kwargs))))

    async def acall(
        self, prompt: str | None = None, *, messages: list[Message] | None = None, **kwargs: Any
    ) -> list[Any]:
        """`__call__` on the running loop."""
        lm = self if "cache" not in kwargs else self.caching(kwargs.pop("cache"))
        return self.outputs(await adrive(call(lm, self._direct_request(prompt, messages, kwargs))))

    def forward(self, prompt: str | None = None, messages: list[Message] | None = None, **kwargs: Any) -> Any:
        """Answer, blocking, with an OpenAI-shaped object. To be defined by subclasses."""
        raise LMUnsupportedFeatureError(
            f"{type(self).__name__} defines no forward(): define it to return an OpenAI-shaped response.",
            model=self.model,
        )

    async def aforward(
        self, prompt: str | None = None, messages: list[Message] | None = None, **kwargs: Any
    ) -> Any:
        """Answer on the running loop; by default `forward` in a worker thread, so that the loop stays
        free.
        """
        import asyncio

        return await asyncio.to_thread(self.forward, prompt, messages, **kwargs)

    def asking(self, request: Request) -> Step:
        """The step that asks the model itself: no record, no budget."""
        kwargs = self._arguments(request)
        prompt, messages = request.prompt, request.messages

        def ask() -> Response:
            return response_from(self.forward(prompt, _listed(messages), **kwargs), self.model)

        async def aask() -> Response:
            return response_from(await self.aforward(prompt, _listed(messages), **kwargs), self.model)

        return Do(ask, aask)

    def streaming(self, request: Request, hear: Callable[[Chunk], None]) -> Step:
        """The step that asks the model and tells `hear` of each chunk; `asking`, if it has no `astream`."""
        astream: Any = getattr(self, "astream", None)
        if astream is None:
            return self.asking(request)
        from telic.lm.streaming import streaming_step

        arguments = self._arguments(request)
        prompt, messages = request.prompt, _listed(request.messages)
        return streaming_step(lambda: astream(prompt, messages, **arguments), hear, self.model)

    @staticmethod
    def _arguments(request: Request) -> dict[str, Any]:
        kwargs = dict(request.params)
        if request.constraint is not None and request.constraint.json_schema is not None:
            kwargs["response_format"] = json_schema_format(request.constraint)
        return kwargs

    def request(
        self,
        *,
        messages: Sequence[Message] | None = None,
        prompt: str | None = None,
        constraint: Constraint | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Request:
        """Make the request this LM would send: its own parameters, then `params`, without `None`.

        `rollout_id` among them asks for another sample; under temperature 0 there is only one answer, so it
        is dropped.
        """
        merged = self.kwargs if not params else {**self.kwargs, **params}
        merged = {k: v for k, v in merged.items() if v is not None and k not in SECRET_PARAMS}
        rollout = merged.pop("rollout_id", None)
        if rollout is None:
            rollout = scopes.current().rollout_id
        if rollout is not None and merged.get("temperature") == 0:
            rollout = None
        return Request(self.model, self.endpoint, messages, prompt, merged, constraint, rollout)

    def count_tokens(self, request: Request) -> int | None:
        """Exact number of prompt tokens where that can be told without a call, else `None`."""
        return None

    def check_fits(self, request: Request) -> None:
        """Raise `ContextWindowExceededError` where the prompt surely does not fit the window, before it is
        sent.
        """
        window = self.context_window
        if window is None or _prompt_bytes(request) < window:
            return  # A token is at least a byte, so this fits whatever the tokenizer.
        tokens = self.count_tokens(request)
        if tokens is not None and tokens >= window:
            raise ContextWindowExceededError(
                f"The prompt has {tokens} tokens, but {self.model} reads at most {window}. Use fewer or "
                f"shorter demos, shorten the inputs, or choose a model with a larger window.",
                model=self.model,
                code="context_length_exceeded",
            )

    @staticmethod
    def outputs(response: Response) -> list[Any]:
        """The answers of a response as `__call__` returns them."""
        return histories.outputs(response)

    def _direct_request(
        self, prompt: str | None, messages: list[Message] | None, kwargs: dict[str, Any]
    ) -> Request:
        if (prompt is None) == (messages is None):
            raise InputError(f"{self.model}: give either a prompt or messages.")
        spoken = None
        if self.capabilities.chat and messages is None:
            messages, prompt, spoken = [{"role": "user", "content": prompt}], None, prompt
        elif messages is not None and not self.capabilities.chat:
            prompt, messages = "\n\n".join(str(m.get("content") or "") for m in messages), None
        made = self.request(messages=messages, prompt=prompt, params=kwargs)
        return made if spoken is None else replace(made, spoken=spoken)

    # Copies, state and history.

    def copy(self, **kwargs: Any) -> BaseLM:
        """The same LM with some parameters changed, or with `None` taken away, and a history of its own;
        `rollout_id=` asks for other samples.
        """
        # Not by `copy.copy`, which goes the way of pickling, where keys and addresses stay out.
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.__dict__.pop("_capabilities", None)
        other.history = History()
        other.kwargs = dict(self.kwargs)
        for name, value in kwargs.items():
            if name in other.__dict__ and name != "kwargs":
                setattr(other, name, value)
            elif value is None:
                other.kwargs.pop(name, None)
            else:
                other.kwargs[name] = value
        return other

    def caching(self, cache: bool) -> BaseLM:
        """This very LM, history and all, with answers taken from the record or not."""
        other = self.copy(cache=cache)
        other.history = self.history
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> BaseLM:
        # A program's copy asks the same model, not a clone of it.
        return self

    def reached_as(self, other: Any) -> BaseLM:
        """This LM at the address of `other`, where it has an address and that is one of its provider's."""
        return self

    def dump_state(self) -> dict[str, Any]:
        """What it takes to make this LM again, without secrets and without how it is reached."""
        return state_of(self)

    @classmethod
    def load_state(cls, state: Mapping[str, Any], *, allow_custom_lm_class: bool = False) -> BaseLM:
        """Make an LM from `dump_state()`; classes other than telic's need `allow_custom_lm_class=True`."""
        made, arguments = constructor_of(state, allow_custom_lm_class=allow_custom_lm_class)
        lm: BaseLM = made(**arguments)
        return lm

    def update_history(self, entry: Mapping[str, Any]) -> None:
        """Add an entry to this LM's history and the global one."""
        self.history.append(entry)
        histories.GLOBAL_HISTORY.append(entry)

    def inspect_history(self, n: int = 1, file: TextIO | None = None) -> None:
        """Print this LM's last `n` calls."""
        inspect_history(n, file, history=self.history)

    def __repr__(self) -> str:
        shown = {k: v for k, v in self.kwargs.items() if v is not None and k not in SECRET_PARAMS}
        return f"{type(self).__name__}({self.model!r}{''.join(f', {k}={v!r}' for k, v in shown.items())})"


def json_schema_format(constraint: Constraint) -> dict[str, Any]:
    """OpenAI's `response_format` for a constraint with a JSON schema."""
    return {
        "type": "json_schema",
        "json_schema": {"name": "outputs", "schema": dict(constraint.json_schema or {}), "strict": True},
    }


def _listed(messages: Sequence[Message] | None) -> list[Message] | None:
    return None if messages is None else list(messages)


def _prompt_bytes(request: Request) -> int:
    if request.prompt is not None:
        return len(request.prompt.encode())
    total = 0
    for message in request.messages or ():
        content = message.get("content")
        # A chat template adds a few tokens a message; a part that is not text may be any number of them.
        total += 16 + (len(content.encode()) if isinstance(content, str) else 1_000_000 if content else 0)
    return total
