"""telic: program language models instead of prompting them.

Every public name loads at first use, so that `import telic` costs next to nothing.
"""

from telic._lazy import exports

__version__ = "0.1.0"

_TABLE = {
    # Data
    "Example": "telic.data.example",
    "Prediction": "telic.data.prediction",
    "Completions": "telic.data.completions",
    # Signatures
    "Signature": "telic.signatures",
    "SignatureMeta": "telic.signatures",
    "InputField": "telic.signatures",
    "OutputField": "telic.signatures",
    "Field": "telic.signatures",
    "ensure_signature": "telic.signatures",
    "infer_prefix": "telic.signatures",
    "make_signature": "telic.signatures",
    # Language models
    "BaseLM": "telic.lm.base",
    "LM": "telic.lm.model",
    "inspect_history": "telic.lm.history",
    # Adapters
    "Adapter": "telic.adapters",
    "ChatAdapter": "telic.adapters",
    "JSONAdapter": "telic.adapters",
    "XMLAdapter": "telic.adapters",
    "CompletionAdapter": "telic.adapters",
    # Values
    "Type": "telic.types",
    "Image": "telic.types",
    "Audio": "telic.types",
    "File": "telic.types",
    "Code": "telic.types",
    "Reasoning": "telic.types",
    "History": "telic.types",
    "ToolCallResults": "telic.types",
    "Tool": "telic.runtime.tools",
    "ToolCalls": "telic.runtime.tools",
    # Programs
    "Parameter": "telic.program.parameter",
    "BaseModule": "telic.program.module",
    "Module": "telic.program.module",
    "Predict": "telic.program.predict",
    "ProgramState": "telic.program.state",
    "ChainOfThought": "telic.modules.chain_of_thought",
    "Parallel": "telic.modules.parallel",
    "majority": "telic.modules.majority",
    "MultiChainComparison": "telic.modules.multi_chain_comparison",
    "BestOfN": "telic.modules.best_of_n",
    "Refine": "telic.modules.refine",
    "ReAct": "telic.modules.react",
    # Measuring
    "Evaluate": "telic.evaluate",
    "EvaluationResult": "telic.evaluate",
    "compare": "telic.evaluate",
    # Compiling
    "LabeledFewShot": "telic.optimize",
    "BootstrapFewShot": "telic.optimize",
    "BootstrapFewShotWithRandomSearch": "telic.optimize",
    "BootstrapRS": "telic.optimize",
    # Settings, budgets and records
    "settings": "telic.runtime.settings",
    "configure": "telic.runtime.settings",
    "context": "telic.runtime.settings",
    "track_usage": "telic.runtime.usage",
    "budget": "telic.budget",
    "configure_cache": "telic.store",
    "BaseCallback": "telic.runtime.events",
    # Errors
    "TelicError": "telic.errors",
    "SignatureError": "telic.errors",
    "SignatureSyntaxError": "telic.errors",
    "InputError": "telic.errors",
    "AdapterError": "telic.errors",
    "AdapterParseError": "telic.errors",
    "LMError": "telic.errors",
    "LMConfigurationError": "telic.errors",
    "LMNotConfiguredError": "telic.errors",
    "ModelWeightsError": "telic.errors",
    "LMProviderError": "telic.errors",
    "LMAuthError": "telic.errors",
    "LMBillingError": "telic.errors",
    "LMRateLimitError": "telic.errors",
    "LMServerError": "telic.errors",
    "LMTimeoutError": "telic.errors",
    "LMInvalidRequestError": "telic.errors",
    "ContextWindowExceededError": "telic.errors",
    "LMUnsupportedModelError": "telic.errors",
    "LMTransportError": "telic.errors",
    "LMUnsupportedFeatureError": "telic.errors",
    "LMCollectionLimitError": "telic.errors",
    "LMLockTimeoutError": "telic.errors",
    "LMUnexpectedError": "telic.errors",
    "LMStreamAssemblyError": "telic.errors",
    "BudgetExceededError": "telic.errors",
    "DataError": "telic.errors",
    "EvaluationError": "telic.errors",
    "MetricError": "telic.errors",
    "ProgramFileError": "telic.errors",
    "CompileError": "telic.errors",
    "RunMismatchError": "telic.errors",
    "StoreError": "telic.errors",
    "CodeInterpreterError": "telic.errors",
    "CodeExecutionError": "telic.errors",
    "ToolError": "telic.errors",
    "MissingExtraError": "telic.errors",
    "is_retryable_lm_error": "telic.errors",
    # Rooms
    "datasets": "telic.datasets:",
    "evaluate": "telic.evaluate:",
    "optimize": "telic.optimize:",
    "adapters": "telic.adapters:",
    "signatures": "telic.signatures:",
    "testing": "telic.testing:",
    "types": "telic.types:",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
