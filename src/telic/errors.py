"""Every exception telic raises on purpose, in one tree.

    TelicError
    ├── SignatureError (also ValueError, TypeError)  a signature that cannot be built, edited or loaded
    │   └── SignatureSyntaxError                 "a, b -> c: int" does not parse
    ├── InputError (also ValueError, TypeError)  a call with missing, unknown, positional or ill-typed inputs
    ├── ConfigureError (also RuntimeError)       settings changed by a thread or task that may not
    ├── AdapterError
    │   └── AdapterParseError                    the model's answer does not fit the signature
    ├── LMError                                  anything that went wrong between us and a model
    │   ├── LMConfigurationError
    │   │   ├── LMNotConfiguredError (also ValueError)  no LM set
    │   │   └── ModelWeightsError                local weights missing, damaged or unreadable
    │   ├── LMProviderError                      the provider answered, and the answer is an error
    │   │   ├── LMAuthError                      401, 403
    │   │   ├── LMBillingError                   402, quota spent
    │   │   ├── LMRateLimitError                 429
    │   │   ├── LMServerError                    5xx
    │   │   ├── LMTimeoutError                   deadline passed
    │   │   └── LMInvalidRequestError            400
    │   │       ├── ContextWindowExceededError   the prompt does not fit the model
    │   │       └── LMUnsupportedModelError      404, unknown model
    │   ├── LMTransportError                     connection refused, reset, cut or unreadable
    │   ├── LMUnsupportedFeatureError            the model cannot do what was asked
    │   ├── LMCollectionLimitError
    │   ├── LMLockTimeoutError
    │   └── LMUnexpectedError
    │       └── LMStreamAssemblyError
    ├── BudgetExceededError                      a cap was reached; says what was spent
    ├── DataError (also ValueError)              an empty or ill-formed data set
    │   └── IndexFileError                       an index is damaged, missing, or of another encoder
    │       └── IndexFileMissingError (also FileNotFoundError)  there is none
    ├── EvaluationError                          too many examples failed; carries what was paid for
    ├── MetricError                              the metric itself is broken or has the wrong arity
    ├── ProgramFileError (also ValueError)       a saved program is damaged, of another version or program
    │   ├── ProgramFileMissingError (also FileNotFoundError)  there is none
    │   └── ProgramMismatchError (also KeyError)     it is of a program with other parts
    ├── CompileError                             an optimizer cannot start or go on
    │   └── RunMismatchError                     a run cannot resume: program, data or metric changed
    ├── TrainingError                            a model cannot be trained, or its training failed
    ├── StoreError                               the record could not be read or written
    ├── CodeInterpreterError                     the interpreter itself cannot start or go on
    │   └── CodeExecutionError (also RuntimeError)  code that an LM wrote raised, or was stopped
    │       └── CodeSyntaxError (also SyntaxError)  it does not parse
    ├── ToolError (also RuntimeError)            a tool raised, or answered that it failed
    └── MissingExtraError (also ImportError)     an optional part is not installed

Messages say what is wrong, where in the program, and what to do. They never contain a key: text that may
carry one goes through `redact` first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from telic._secrets import redact as redact


class TelicError(Exception):
    """Root of the tree. Carries, where known, what a provider said about the failure.

    Args:
        message: what is wrong, where, and what to do.
        code: a short machine-readable name of the failure.
        model: the model asked, as `provider/name`.
        provider: the provider asked.
        provider_code: the provider's own error code.
        status: HTTP status.
        request_id: the provider's id of the failed request.
        retry_after: seconds the provider asks to wait.
    """

    default_code: str | None = None

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        model: str | None = None,
        provider: str | None = None,
        provider_code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.model = model
        self.provider = provider
        self.provider_code = provider_code
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
        self.program_path: str | None = None
        """Where in the program it happened, e.g. `hop[1].generate`; set by the predictor that was running."""

    def __str__(self) -> str:
        where = f"[{self.program_path}] " if self.program_path else ""
        return f"{where}{self.message}"


class SignatureError(TelicError, ValueError, TypeError):
    """A signature cannot be built, edited or loaded."""


class SignatureSyntaxError(SignatureError):
    """A signature string does not parse; the message points at the column."""


class InputError(TelicError, ValueError, TypeError):
    """A program or predictor was called with inputs that do not fit its signature."""


class ConfigureError(TelicError, RuntimeError):
    """The settings of the process were changed by a thread or task that may not."""


class AdapterError(TelicError):
    """An adapter cannot render or read."""


class AdapterParseError(AdapterError):
    """The model's answer does not fit the signature, after all the repairs that were allowed.

    Args:
        adapter_name: the adapter that read the answer.
        signature: the signature it was read against.
        lm_response: the raw text.
        message: what does not fit.
        parsed_result: the fields that were read (name to value).
        missing: the output fields that could not be read.
    """

    def __init__(
        self,
        adapter_name: str,
        signature: Any,
        lm_response: str,
        message: str | None = None,
        parsed_result: Mapping[str, Any] | None = None,
        *,
        missing: Sequence[str] = (),
    ) -> None:
        self.adapter_name = adapter_name
        self.signature = signature
        self.lm_response = lm_response
        self.parsed_result = parsed_result
        self.missing = tuple(missing)
        self.detail = message or "it does not have the fields that are asked for."
        """What does not fit, alone: what a model is shown when it is asked again."""
        expected = list(getattr(signature, "output_fields", {}) or {})
        parts = [f"{adapter_name} could not read the model's answer" + (f": {message}" if message else ".")]
        parts.append(f"Expected output fields: {expected}.")
        if parsed_result is not None:
            parts.append(f"Read: {dict(parsed_result)!r}.")
        if self.missing:
            parts.append(f"Not read: {list(self.missing)}.")
        parts.append(f"The model wrote: {lm_response!r}")
        super().__init__("\n".join(parts))

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = (self.adapter_name, self.lm_response, self.message, self.parsed_result, self.missing)
        return (_rebuild_parse_error, (*arguments, self.detail))


def _rebuild_parse_error(
    adapter: str,
    text: str,
    message: str,
    parsed: Mapping[str, Any] | None,
    missing: tuple[str, ...],
    detail: str,
) -> AdapterParseError:
    """Make the error anew in another process, where the signature class may not exist."""
    error = AdapterParseError(adapter, None, text, detail, parsed, missing=missing)
    error.message = message
    error.args = (message,)
    return error


class LMError(TelicError):
    """Anything that went wrong between telic and a model."""


class LMConfigurationError(LMError):
    """The LM is set up in a way that cannot work."""


class LMNotConfiguredError(LMConfigurationError, ValueError):
    """No LM is set where one is needed."""


class ModelWeightsError(LMConfigurationError):
    """Local weights are missing, damaged or not readable by the engine."""


class LMProviderError(LMError):
    """The provider answered with an error."""


class LMAuthError(LMProviderError):
    """The key is missing, wrong or not allowed to use the model (HTTP 401, 403)."""


class LMBillingError(LMProviderError):
    """The account has no credit or quota left (HTTP 402, `insufficient_quota`)."""


class LMRateLimitError(LMProviderError):
    """Too many requests (HTTP 429), after all retries."""


class LMServerError(LMProviderError):
    """The provider failed (HTTP 5xx), after all retries."""


class LMTimeoutError(LMProviderError):
    """No answer before the deadline."""


class LMInvalidRequestError(LMProviderError):
    """The provider does not accept the request (HTTP 400, 422)."""


class ContextWindowExceededError(LMInvalidRequestError):
    """The prompt, or prompt plus answer, does not fit the model's context window."""

    def __init__(
        self, message: str = "Context window exceeded", *, model: str | None = None, **details: Any
    ) -> None:
        super().__init__(message, model=model, **details)


class LMUnsupportedModelError(LMInvalidRequestError):
    """The provider does not know the model (HTTP 404)."""


class LMTransportError(LMError):
    """The connection failed: refused, reset, cut short, or the body was not readable."""


class LMUnexpectedError(LMError):
    """The provider or engine did something that fits no other class."""


class LMStreamAssemblyError(LMUnexpectedError):
    """A stream of chunks does not add up to an answer."""

    def __init__(
        self, message: str = "", *, partial: Any = None, part_index: int | None = None, **details: Any
    ) -> None:
        super().__init__(message, **details)
        self.partial = partial
        self.part_index = part_index


class LMCollectionLimitError(LMError):
    """A stream was longer than it was allowed to be."""

    def __init__(self, message: str = "", *, source: Any = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.source = source

    @property
    def partial(self) -> Any:
        """What had arrived when the limit was reached."""
        return getattr(self.source, "partial", None)


class LMLockTimeoutError(LMError):
    """A file lock was not free in time."""

    def __init__(self, message: str = "", *, path: str = "", lock_path: str = "", **details: Any) -> None:
        super().__init__(message, **details)
        self.path = path
        self.lock_path = lock_path


class LMUnsupportedFeatureError(LMError):
    """The model or engine cannot do what the request asks for."""

    def __init__(
        self,
        message: str = "",
        *,
        features: list[str] | None = None,
        feature: str | None = None,
        issues: list[str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message, **details)
        self.features = features or ([feature] if feature else [])
        self.feature = feature or (self.features[0] if self.features else None)
        self.issues = issues or []


class BudgetExceededError(TelicError):
    """A cap of `telic.budget` was reached before the call was made; nothing was spent beyond it.

    Args:
        message: which cap, and what was spent.
        spent: calls, tokens, usd and seconds spent so far.
        caps: the caps in force.
    """

    def __init__(self, message: str, *, spent: Mapping[str, Any], caps: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.spent = dict(spent)
        self.caps = dict(caps)


class DataError(TelicError, ValueError):
    """A data set is empty or not of the form that is needed."""


class IndexFileError(DataError):
    """An index for retrieval cannot be read or written: damaged, missing, of another version or encoder."""


class IndexFileMissingError(IndexFileError, FileNotFoundError):
    """There is no index where one was looked for."""


class EvaluationError(TelicError):
    """An evaluation stopped because too many examples failed.

    Args:
        message: how many failed, and the commonest causes.
        result: the `EvaluationResult` so far; what was paid for is kept.
    """

    def __init__(self, message: str, *, result: Any = None) -> None:
        super().__init__(message)
        self.result = result


class MetricError(TelicError):
    """The metric cannot be called, or returned something that is not a score."""


class ProgramFileError(TelicError, ValueError):
    """A saved program is damaged, of another version, or of another program."""


class ProgramFileMissingError(ProgramFileError, FileNotFoundError):
    """There is no saved program where one was looked for."""


class ProgramMismatchError(ProgramFileError, KeyError):
    """A saved program has other parts than the one it is loaded into."""

    __str__ = Exception.__str__  # a KeyError's would put the message into quotes


class CompileError(TelicError):
    """An optimizer cannot start or go on."""


class RunMismatchError(CompileError, ValueError):
    """A recorded run cannot go on, because the program, the data or the metric changed."""


class TrainingError(TelicError):
    """A model cannot be trained as asked, its training failed, or what was trained does not fit here."""


class StoreError(TelicError):
    """The record of calls and runs could not be read or written."""


class CodeInterpreterError(TelicError):
    """The interpreter for code that an LM wrote failed."""


class CodeExecutionError(CodeInterpreterError, RuntimeError):
    """The code that an LM wrote raised, or went over a limit and was stopped; other code may follow."""

    state_lost: bool = False
    """Whether the interpreter's variables are gone with it."""


class CodeSyntaxError(CodeExecutionError, SyntaxError):
    """The code that an LM wrote does not parse."""


class ToolError(TelicError, RuntimeError):
    """A tool raised (the cause is chained), or its server answered that it failed."""


class MissingExtraError(TelicError, ImportError):
    """An optional part of telic is not installed; the message gives the command."""


def is_retryable_lm_error(error: BaseException) -> bool:
    """Whether asking again may help: rate limits, server failures, time-outs and broken connections."""
    return isinstance(error, (LMRateLimitError, LMServerError, LMTimeoutError, LMTransportError))
