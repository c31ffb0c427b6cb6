from telic import datasets as datasets
from telic import evaluate as evaluate
from telic import optimize as optimize
from telic import adapters as adapters
from telic import signatures as signatures
from telic import testing as testing
from telic.data.example import (
    Example as Example,
)
from telic.data.prediction import (
    Prediction as Prediction,
)
from telic.data.completions import (
    Completions as Completions,
)
from telic.signatures import (
    Signature as Signature,
    SignatureMeta as SignatureMeta,
    InputField as InputField,
    OutputField as OutputField,
    Field as Field,
    ensure_signature as ensure_signature,
    infer_prefix as infer_prefix,
    make_signature as make_signature,
)
from telic.lm.base import (
    BaseLM as BaseLM,
)
from telic.lm.model import (
    LM as LM,
)
from telic.lm.history import (
    inspect_history as inspect_history,
)
from telic.adapters import (
    Adapter as Adapter,
    ChatAdapter as ChatAdapter,
    JSONAdapter as JSONAdapter,
    XMLAdapter as XMLAdapter,
    CompletionAdapter as CompletionAdapter,
)
from telic.program.parameter import (
    Parameter as Parameter,
)
from telic.program.module import (
    BaseModule as BaseModule,
    Module as Module,
)
from telic.program.predict import (
    Predict as Predict,
)
from telic.program.state import (
    ProgramState as ProgramState,
)
from telic.modules.chain_of_thought import (
    ChainOfThought as ChainOfThought,
)
from telic.modules.parallel import (
    Parallel as Parallel,
)
from telic.evaluate import (
    Evaluate as Evaluate,
    EvaluationResult as EvaluationResult,
    compare as compare,
)
from telic.optimize import (
    LabeledFewShot as LabeledFewShot,
    BootstrapFewShot as BootstrapFewShot,
    BootstrapFewShotWithRandomSearch as BootstrapFewShotWithRandomSearch,
    BootstrapRS as BootstrapRS,
)
from telic.runtime.settings import (
    settings as settings,
    configure as configure,
    context as context,
)
from telic.runtime.usage import (
    track_usage as track_usage,
)
from telic.budget import (
    budget as budget,
)
from telic.store import (
    configure_cache as configure_cache,
)
from telic.runtime.events import (
    BaseCallback as BaseCallback,
)
from telic.errors import (
    TelicError as TelicError,
    SignatureError as SignatureError,
    SignatureSyntaxError as SignatureSyntaxError,
    InputError as InputError,
    AdapterError as AdapterError,
    AdapterParseError as AdapterParseError,
    LMError as LMError,
    LMConfigurationError as LMConfigurationError,
    LMNotConfiguredError as LMNotConfiguredError,
    ModelWeightsError as ModelWeightsError,
    LMProviderError as LMProviderError,
    LMAuthError as LMAuthError,
    LMBillingError as LMBillingError,
    LMRateLimitError as LMRateLimitError,
    LMServerError as LMServerError,
    LMTimeoutError as LMTimeoutError,
    LMInvalidRequestError as LMInvalidRequestError,
    ContextWindowExceededError as ContextWindowExceededError,
    LMUnsupportedModelError as LMUnsupportedModelError,
    LMTransportError as LMTransportError,
    LMUnsupportedFeatureError as LMUnsupportedFeatureError,
    LMCollectionLimitError as LMCollectionLimitError,
    LMLockTimeoutError as LMLockTimeoutError,
    LMUnexpectedError as LMUnexpectedError,
    LMStreamAssemblyError as LMStreamAssemblyError,
    BudgetExceededError as BudgetExceededError,
    DataError as DataError,
    EvaluationError as EvaluationError,
    MetricError as MetricError,
    ProgramFileError as ProgramFileError,
    CompileError as CompileError,
    RunMismatchError as RunMismatchError,
    StoreError as StoreError,
    CodeInterpreterError as CodeInterpreterError,
    CodeExecutionError as CodeExecutionError,
    MissingExtraError as MissingExtraError,
    is_retryable_lm_error as is_retryable_lm_error,
)

__version__: str
