from telic import adapters as adapters
from telic import datasets as datasets
from telic import evaluate as evaluate
from telic import optimize as optimize
from telic import sandbox as sandbox
from telic import signatures as signatures
from telic import streaming as streaming
from telic import testing as testing
from telic import types as types
from telic.adapters import (
    Adapter as Adapter,
)
from telic.adapters import (
    BAMLAdapter as BAMLAdapter,
)
from telic.adapters import (
    ChatAdapter as ChatAdapter,
)
from telic.adapters import (
    CompletionAdapter as CompletionAdapter,
)
from telic.adapters import (
    JSONAdapter as JSONAdapter,
)
from telic.adapters import (
    TwoStepAdapter as TwoStepAdapter,
)
from telic.adapters import (
    XMLAdapter as XMLAdapter,
)
from telic.budget import (
    budget as budget,
)
from telic.data.completions import (
    Completions as Completions,
)
from telic.data.example import (
    Example as Example,
)
from telic.data.prediction import (
    Prediction as Prediction,
)
from telic.errors import (
    AdapterError as AdapterError,
)
from telic.errors import (
    AdapterParseError as AdapterParseError,
)
from telic.errors import (
    BudgetExceededError as BudgetExceededError,
)
from telic.errors import (
    CodeExecutionError as CodeExecutionError,
)
from telic.errors import (
    CodeInterpreterError as CodeInterpreterError,
)
from telic.errors import (
    CodeSyntaxError as CodeSyntaxError,
)
from telic.errors import (
    CompileError as CompileError,
)
from telic.errors import (
    ContextWindowExceededError as ContextWindowExceededError,
)
from telic.errors import (
    DataError as DataError,
)
from telic.errors import (
    EvaluationError as EvaluationError,
)
from telic.errors import (
    InputError as InputError,
)
from telic.errors import (
    LMAuthError as LMAuthError,
)
from telic.errors import (
    LMBillingError as LMBillingError,
)
from telic.errors import (
    LMCollectionLimitError as LMCollectionLimitError,
)
from telic.errors import (
    LMConfigurationError as LMConfigurationError,
)
from telic.errors import (
    LMError as LMError,
)
from telic.errors import (
    LMInvalidRequestError as LMInvalidRequestError,
)
from telic.errors import (
    LMLockTimeoutError as LMLockTimeoutError,
)
from telic.errors import (
    LMNotConfiguredError as LMNotConfiguredError,
)
from telic.errors import (
    LMProviderError as LMProviderError,
)
from telic.errors import (
    LMRateLimitError as LMRateLimitError,
)
from telic.errors import (
    LMServerError as LMServerError,
)
from telic.errors import (
    LMStreamAssemblyError as LMStreamAssemblyError,
)
from telic.errors import (
    LMTimeoutError as LMTimeoutError,
)
from telic.errors import (
    LMTransportError as LMTransportError,
)
from telic.errors import (
    LMUnexpectedError as LMUnexpectedError,
)
from telic.errors import (
    LMUnsupportedFeatureError as LMUnsupportedFeatureError,
)
from telic.errors import (
    LMUnsupportedModelError as LMUnsupportedModelError,
)
from telic.errors import (
    MetricError as MetricError,
)
from telic.errors import (
    MissingExtraError as MissingExtraError,
)
from telic.errors import (
    ModelWeightsError as ModelWeightsError,
)
from telic.errors import (
    ProgramFileError as ProgramFileError,
)
from telic.errors import (
    ProgramFileMissingError as ProgramFileMissingError,
)
from telic.errors import (
    ProgramMismatchError as ProgramMismatchError,
)
from telic.errors import (
    RunMismatchError as RunMismatchError,
)
from telic.errors import (
    SignatureError as SignatureError,
)
from telic.errors import (
    SignatureSyntaxError as SignatureSyntaxError,
)
from telic.errors import (
    StoreError as StoreError,
)
from telic.errors import (
    TelicError as TelicError,
)
from telic.errors import (
    ToolError as ToolError,
)
from telic.errors import (
    is_retryable_lm_error as is_retryable_lm_error,
)
from telic.evaluate import (
    Evaluate as Evaluate,
)
from telic.evaluate import (
    EvaluationResult as EvaluationResult,
)
from telic.evaluate import (
    compare as compare,
)
from telic.judges import (
    CompleteAndGrounded as CompleteAndGrounded,
)
from telic.judges import (
    SemanticF1 as SemanticF1,
)
from telic.lm.base import (
    BaseLM as BaseLM,
)
from telic.lm.embedder import (
    Embedder as Embedder,
)
from telic.lm.history import (
    inspect_history as inspect_history,
)
from telic.lm.model import (
    LM as LM,
)
from telic.modules.assertions import (
    Assert as Assert,
)
from telic.modules.assertions import (
    Suggest as Suggest,
)
from telic.modules.avatar import (
    Avatar as Avatar,
)
from telic.modules.backtracking import (
    Backtracking as Backtracking,
)
from telic.modules.best_of_n import (
    BestOfN as BestOfN,
)
from telic.modules.chain_of_thought import (
    ChainOfThought as ChainOfThought,
)
from telic.modules.code_act import (
    CodeAct as CodeAct,
)
from telic.modules.knn import (
    KNN as KNN,
)
from telic.modules.majority import (
    majority as majority,
)
from telic.modules.multi_chain_comparison import (
    MultiChainComparison as MultiChainComparison,
)
from telic.modules.parallel import (
    Parallel as Parallel,
)
from telic.modules.program_of_thought import (
    ProgramOfThought as ProgramOfThought,
)
from telic.modules.react import (
    ReAct as ReAct,
)
from telic.modules.react_v2 import (
    ReActV2 as ReActV2,
)
from telic.modules.refine import (
    Refine as Refine,
)
from telic.modules.retrieve import (
    Retrieve as Retrieve,
)
from telic.modules.rlm import (
    RLM as RLM,
)
from telic.optimize import (
    AvatarOptimizer as AvatarOptimizer,
)
from telic.optimize import (
    BetterTogether as BetterTogether,
)
from telic.optimize import (
    BootstrapFewShot as BootstrapFewShot,
)
from telic.optimize import (
    BootstrapFewShotWithRandomSearch as BootstrapFewShotWithRandomSearch,
)
from telic.optimize import (
    BootstrapRS as BootstrapRS,
)
from telic.optimize import (
    GEPA as GEPA,
)
from telic.optimize import (
    InferRules as InferRules,
)
from telic.optimize import (
    COPRO as COPRO,
)
from telic.optimize import (
    BootstrapFewShotWithOptuna as BootstrapFewShotWithOptuna,
)
from telic.optimize import (
    MIPROv2 as MIPROv2,
)
from telic.optimize import (
    Ensemble as Ensemble,
)
from telic.optimize import (
    KNNFewShot as KNNFewShot,
)
from telic.optimize import (
    LabeledFewShot as LabeledFewShot,
)
from telic.optimize import (
    compile as compile,
)
from telic.optimize import (
    SIMBA as SIMBA,
)
from telic.program.module import (
    BaseModule as BaseModule,
)
from telic.program.module import (
    Module as Module,
)
from telic.program.parameter import (
    Parameter as Parameter,
)
from telic.program.predict import (
    Predict as Predict,
)
from telic.program.state import (
    ProgramState as ProgramState,
)
from telic.program.text import (
    Text as Text,
)
from telic.program.ways import (
    asyncify as asyncify,
)
from telic.program.ways import (
    syncify as syncify,
)
from telic.runtime.events import (
    BaseCallback as BaseCallback,
)
from telic.runtime.settings import (
    configure as configure,
)
from telic.runtime.settings import (
    context as context,
)
from telic.runtime.settings import (
    settings as settings,
)
from telic.runtime.tools import (
    Tool as Tool,
)
from telic.runtime.tools import (
    ToolCalls as ToolCalls,
)
from telic.runtime.usage import (
    track_usage as track_usage,
)
from telic.sandbox.factory import (
    resolve_interpreter_factory as resolve_interpreter_factory,
)
from telic.sandbox.interpreter import (
    CodeInterpreter as CodeInterpreter,
)
from telic.sandbox.interpreter import (
    FinalOutput as FinalOutput,
)
from telic.sandbox.local_interpreter import (
    LocalInterpreter as LocalInterpreter,
)
from telic.sandbox.python_interpreter import (
    PythonInterpreter as PythonInterpreter,
)
from telic.sandbox.serializable import (
    SandboxSerializable as SandboxSerializable,
)
from telic.signatures import (
    Field as Field,
)
from telic.signatures import (
    InputField as InputField,
)
from telic.signatures import (
    OutputField as OutputField,
)
from telic.signatures import (
    Signature as Signature,
)
from telic.signatures import (
    SignatureMeta as SignatureMeta,
)
from telic.signatures import (
    ensure_signature as ensure_signature,
)
from telic.signatures import (
    infer_prefix as infer_prefix,
)
from telic.signatures import (
    make_signature as make_signature,
)
from telic.store import (
    configure_cache as configure_cache,
)
from telic.streaming import (
    StreamListener as StreamListener,
)
from telic.streaming import (
    streamify as streamify,
)
from telic.types import (
    Audio as Audio,
)
from telic.types import (
    Citations as Citations,
)
from telic.types import (
    Code as Code,
)
from telic.types import (
    Document as Document,
)
from telic.types import (
    File as File,
)
from telic.types import (
    History as History,
)
from telic.types import (
    Image as Image,
)
from telic.types import (
    Reasoning as Reasoning,
)
from telic.types import (
    ToolCallResults as ToolCallResults,
)
from telic.types import (
    Type as Type,
)

__version__: str
