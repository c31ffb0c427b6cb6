from telic import (
    adapters as adapters,
    datasets as datasets,
    evaluate as evaluate,
    optimize as optimize,
    retrieval as retrieval,
    sandbox as sandbox,
    signatures as signatures,
    streaming as streaming,
    testing as testing,
    types as types,
)
from telic.adapters import (
    Adapter as Adapter,
    BAMLAdapter as BAMLAdapter,
    ChatAdapter as ChatAdapter,
    CompletionAdapter as CompletionAdapter,
    JSONAdapter as JSONAdapter,
    TwoStepAdapter as TwoStepAdapter,
    XMLAdapter as XMLAdapter,
)
from telic.budget import budget as budget
from telic.data.completions import Completions as Completions
from telic.data.example import Example as Example
from telic.data.prediction import Prediction as Prediction
from telic.errors import (
    AdapterError as AdapterError,
    AdapterParseError as AdapterParseError,
    BudgetExceededError as BudgetExceededError,
    CodeExecutionError as CodeExecutionError,
    CodeInterpreterError as CodeInterpreterError,
    CodeSyntaxError as CodeSyntaxError,
    CompileError as CompileError,
    ContextWindowExceededError as ContextWindowExceededError,
    DataError as DataError,
    EvaluationError as EvaluationError,
    IndexFileError as IndexFileError,
    IndexFileMissingError as IndexFileMissingError,
    InputError as InputError,
    LMAuthError as LMAuthError,
    LMBillingError as LMBillingError,
    LMCollectionLimitError as LMCollectionLimitError,
    LMConfigurationError as LMConfigurationError,
    LMError as LMError,
    LMInvalidRequestError as LMInvalidRequestError,
    LMLockTimeoutError as LMLockTimeoutError,
    LMNotConfiguredError as LMNotConfiguredError,
    LMProviderError as LMProviderError,
    LMRateLimitError as LMRateLimitError,
    LMServerError as LMServerError,
    LMStreamAssemblyError as LMStreamAssemblyError,
    LMTimeoutError as LMTimeoutError,
    LMTransportError as LMTransportError,
    LMUnexpectedError as LMUnexpectedError,
    LMUnsupportedFeatureError as LMUnsupportedFeatureError,
    LMUnsupportedModelError as LMUnsupportedModelError,
    MetricError as MetricError,
    MissingExtraError as MissingExtraError,
    ModelWeightsError as ModelWeightsError,
    ProgramFileError as ProgramFileError,
    ProgramFileMissingError as ProgramFileMissingError,
    ProgramMismatchError as ProgramMismatchError,
    RunMismatchError as RunMismatchError,
    SignatureError as SignatureError,
    SignatureSyntaxError as SignatureSyntaxError,
    StoreError as StoreError,
    TelicError as TelicError,
    ToolError as ToolError,
    TrainingError as TrainingError,
    is_retryable_lm_error as is_retryable_lm_error,
)
from telic.evaluate import Evaluate as Evaluate, EvaluationResult as EvaluationResult, compare as compare
from telic.judges import CompleteAndGrounded as CompleteAndGrounded, SemanticF1 as SemanticF1
from telic.lm.base import BaseLM as BaseLM
from telic.lm.embedder import Embedder as Embedder
from telic.lm.history import inspect_history as inspect_history
from telic.lm.model import LM as LM
from telic.modules.assertions import Assert as Assert, Suggest as Suggest
from telic.modules.avatar import Avatar as Avatar
from telic.modules.backtracking import Backtracking as Backtracking
from telic.modules.best_of_n import BestOfN as BestOfN
from telic.modules.chain_of_thought import ChainOfThought as ChainOfThought
from telic.modules.code_act import CodeAct as CodeAct
from telic.modules.knn import KNN as KNN
from telic.modules.majority import majority as majority
from telic.modules.multi_chain_comparison import MultiChainComparison as MultiChainComparison
from telic.modules.parallel import Parallel as Parallel
from telic.modules.program_of_thought import ProgramOfThought as ProgramOfThought
from telic.modules.react import ReAct as ReAct
from telic.modules.react_v2 import ReActV2 as ReActV2
from telic.modules.refine import Refine as Refine
from telic.modules.retrieve import Retrieve as Retrieve
from telic.modules.rlm import RLM as RLM
from telic.optimize import (
    COPRO as COPRO,
    GEPA as GEPA,
    SIMBA as SIMBA,
    AvatarOptimizer as AvatarOptimizer,
    BetterTogether as BetterTogether,
    BootstrapFewShot as BootstrapFewShot,
    BootstrapFewShotWithOptuna as BootstrapFewShotWithOptuna,
    BootstrapFewShotWithRandomSearch as BootstrapFewShotWithRandomSearch,
    BootstrapFinetune as BootstrapFinetune,
    BootstrapRS as BootstrapRS,
    Ensemble as Ensemble,
    InferRules as InferRules,
    KNNFewShot as KNNFewShot,
    LabeledFewShot as LabeledFewShot,
    MIPROv2 as MIPROv2,
    compile as compile,
    distill as distill,
)
from telic.program.module import BaseModule as BaseModule, Module as Module
from telic.program.parameter import Parameter as Parameter
from telic.program.predict import Predict as Predict
from telic.program.state import ProgramState as ProgramState
from telic.program.text import Text as Text
from telic.program.ways import asyncify as asyncify, syncify as syncify
from telic.retrieval.dense.dense import Dense as Dense
from telic.retrieval.dense.embeddings import (
    Embeddings as Embeddings,
    EmbeddingsWithScores as EmbeddingsWithScores,
)
from telic.retrieval.hybrid import Hybrid as Hybrid
from telic.retrieval.late_interaction.retriever import LateInteraction as LateInteraction
from telic.retrieval.lexical.bm25 import BM25 as BM25
from telic.retrieval.passage import Passage as Passage
from telic.retrieval.remote.colbertv2 import ColBERTv2 as ColBERTv2
from telic.retrieval.retriever import Retriever as Retriever
from telic.runtime.events import BaseCallback as BaseCallback
from telic.runtime.settings import configure as configure, context as context, settings as settings
from telic.runtime.tools import Tool as Tool, ToolCalls as ToolCalls
from telic.runtime.usage import track_usage as track_usage
from telic.sandbox.factory import resolve_interpreter_factory as resolve_interpreter_factory
from telic.sandbox.interpreter import CodeInterpreter as CodeInterpreter, FinalOutput as FinalOutput
from telic.sandbox.local_interpreter import LocalInterpreter as LocalInterpreter
from telic.sandbox.python_interpreter import PythonInterpreter as PythonInterpreter
from telic.sandbox.serializable import SandboxSerializable as SandboxSerializable
from telic.signatures import (
    Field as Field,
    InputField as InputField,
    OutputField as OutputField,
    Signature as Signature,
    SignatureMeta as SignatureMeta,
    ensure_signature as ensure_signature,
    infer_prefix as infer_prefix,
    make_signature as make_signature,
)
from telic.store import configure_cache as configure_cache
from telic.streaming import StreamListener as StreamListener, streamify as streamify
from telic.types import (
    Audio as Audio,
    Citations as Citations,
    Code as Code,
    Document as Document,
    File as File,
    History as History,
    Image as Image,
    Reasoning as Reasoning,
    ToolCallResults as ToolCallResults,
    Type as Type,
)

__version__: str
