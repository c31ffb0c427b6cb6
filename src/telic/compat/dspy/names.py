"""DSPy's names, and where telic has what they mean. A name that is not its own attribute there is written
`name=attribute`.
"""

from __future__ import annotations

_PLACES = {
    "telic.data.example": "Example",
    "telic.data.prediction": "Prediction ScoreWithFeedback=Prediction",
    "telic.data.completions": "Completions",
    "telic.signatures": (
        "Signature SignatureMeta InputField OutputField ensure_signature infer_prefix make_signature"
    ),
    "telic.signatures.typenames": "get_annotation_name=type_name",
    "telic.signatures.jsonable": "serialize_for_json=to_jsonable",
    "telic.lm.base": "BaseLM",
    "telic.lm.model": "LM",
    "telic.lm.provider": "Provider TrainingJob ReinforceJob",
    "telic.finetune.providers": "LocalProvider OpenAIProvider",
    "telic.finetune.formats": "TrainDataFormat",
    "telic.optimize.weights.optimizer": "FinetuneTeleprompter=WeightOptimizer",
    "telic.lm.embedder": "Embedder",
    "telic.lm.history": "inspect_history",
    "telic.adapters": "Adapter ChatAdapter JSONAdapter XMLAdapter TwoStepAdapter BAMLAdapter",
    "telic.types": ("Type Image Audio File Code Reasoning History ToolCallResults Citations Document"),
    "telic.types.decisions": "Choice Noul Score",
    "telic.runtime.tools": "Tool ToolCalls",
    "telic.runtime.settings": "settings configure context Settings",
    "telic.runtime.usage": "track_usage UsageTracker",
    "telic.runtime.events": "BaseCallback ACTIVE_CALL_ID",
    "telic.program.parameter": "Parameter",
    "telic.program.module": "BaseModule Module",
    "telic.program.predict": "Predict",
    "telic.modules.chain_of_thought": "ChainOfThought",
    "telic.modules.multi_chain_comparison": "MultiChainComparison",
    "telic.modules.majority": "majority default_normalize",
    "telic.modules.best_of_n": "BestOfN",
    "telic.modules.refine": "Refine OfferFeedback",
    "telic.modules.react": "ReAct",
    "telic.modules.react_v2": "ReActV2",
    "telic.modules.program_of_thought": "ProgramOfThought",
    "telic.modules.code_act": "CodeAct",
    "telic.modules.rlm": "RLM",
    "telic.retrieval": "ColBERTv2 Embeddings EmbeddingsWithScores",
    "telic.modules.retrieve": "Retrieve single_query_passage",
    "telic.modules.knn": "KNN",
    "telic.modules.parallel": "Parallel",
    "telic.modules.avatar": "Avatar Action ActionOutput Actor",
    "telic.modules.assertions": (
        "Assert Suggest DSPyAssertionError=AssertionFailedError DSPySuggestionError=SuggestionFailedError"
    ),
    "telic.modules.backtracking": "Backtracking",
    "telic.sandbox": (
        "CodeInterpreter FinalOutput LocalInterpreter PythonInterpreter SandboxSerializable REPLEntry "
        "REPLHistory REPLVariable resolve_interpreter_factory"
    ),
    "telic.streaming": (
        "StatusMessage StatusMessageProvider StreamListener StreamResponse streamify streaming_response "
        "apply_sync_streaming"
    ),
    "telic.program.ways": "asyncify syncify",
    "telic.evaluate": "Evaluate EvaluationResult",
    "telic.evaluate.metrics": (
        "EM F1 HotPotF1 answer_exact_match answer_passage_match precision_score normalize_text"
    ),
    "telic.judges": "SemanticF1 CompleteAndGrounded",
    "telic.optimize": (
        "LabeledFewShot BootstrapFewShot BootstrapFewShotWithRandomSearch BootstrapRS GEPA SIMBA "
        "MIPROv2 COPRO InferRules BootstrapFewShotWithOptuna "
        "KNNFewShot Ensemble BetterTogether AvatarOptimizer BootstrapFinetune GRPO "
        "Teleprompter=Optimizer"
    ),
    "telic.optimize.gepa.optimizer": "GEPAFeedbackMetric InstructionProposer",
    "telic.optimize.gepa.result": "DspyGEPAResult",
    "telic.datasets.gsm8k": "gsm8k_metric parse_integer_answer",
    "telic.testing": "DummyLM DummyVectorizer dummy_rm",
    "telic.errors": (
        "DSPyError=TelicError AdapterParseError LMError LMConfigurationError LMNotConfiguredError "
        "LMProviderError LMAuthError LMBillingError LMRateLimitError LMServerError LMTimeoutError "
        "LMInvalidRequestError ContextWindowExceededError LMUnsupportedModelError LMTransportError "
        "LMUnsupportedFeatureError LMCollectionLimitError LMLockTimeoutError LMUnexpectedError "
        "LMStreamAssemblyError CodeInterpreterError CodeExecutionError is_retryable_lm_error"
    ),
    # What only DSPy has.
    "telic.compat.dspy.old_fields": "OldField OldInputField OldOutputField",
    "telic.compat.dspy.logs": (
        "configure_dspy_loggers disable_logging enable_logging disable_litellm_logging "
        "enable_litellm_logging configure_litellm_logging pretty_print_history"
    ),
    "telic.compat.dspy.saving": "load load_settings",
    "telic.compat.dspy.object_cache": "Cache",
    "telic.compat.dspy.caching": "configure_cache request_cache default_cache_dir cache",
    "telic.compat.dspy.parallelizer": "ParallelExecutor",
    "telic.compat.dspy.unbatchify": "Unbatchify",
    "telic.compat.dspy.decorators": "experimental with_callbacks",
    "telic.compat.dspy.dotdicts": "dotdict dotdict_lax deduplicate flatten DEFAULT_CONFIG",
    "telic.compat.dspy.downloads": "download",
    "telic.compat.dspy.datasets": "Dataset",
    "telic.compat.dspy.dataloader": "DataLoader",
    "telic.compat.dspy.bundled": "Colors HotPotQA MATH GSM8K extract_answer",
    "telic.compat.dspy.traces": "FailedPrediction TraceData",
    "telic.compat.dspy.chat_fields": "FieldInfoWithName format_field_value parse_value get_dspy_field_type",
}

NAMES: dict[str, str] = {
    name: f"{place}:{attribute or name}"
    for place, row in _PLACES.items()
    for name, _, attribute in (entry.partition("=") for entry in row.split())
}
"""DSPy's name to `module:attribute` of telic."""
