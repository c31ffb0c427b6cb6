"""DSPy's modules, and the names that programs take from each."""

from __future__ import annotations

_ERRORS = (
    "DSPyError LMError LMTransportError LMLockTimeoutError LMCollectionLimitError LMConfigurationError "
    "LMNotConfiguredError LMUnsupportedFeatureError LMProviderError LMUnexpectedError LMStreamAssemblyError "
    "LMAuthError LMBillingError LMRateLimitError LMInvalidRequestError ContextWindowExceededError "
    "LMUnsupportedModelError LMTimeoutError LMServerError is_retryable_lm_error AdapterParseError"
)
_ADAPTERS = "Adapter ChatAdapter JSONAdapter XMLAdapter TwoStepAdapter"
_TYPES = "Type Image Audio File Code Reasoning History Tool ToolCalls ToolCallResults"
_SIGNATURES = (
    "Signature SignatureMeta InputField OutputField OldField OldInputField OldOutputField ensure_signature "
    "infer_prefix make_signature"
)
_PREDICT = (
    "Predict ChainOfThought MultiChainComparison majority BestOfN Refine ReAct ReActV2 "
    "ProgramOfThought CodeAct "
    "RLM KNN Parallel Tool"
)
_PRIMITIVES = (
    "BaseModule Module Example Prediction Completions CodeInterpreter CodeInterpreterError "
    "CodeExecutionError "
    "FinalOutput LocalInterpreter PythonInterpreter SandboxSerializable resolve_interpreter_factory"
)
_RETRIEVERS = "Retrieve Embeddings EmbeddingsWithScores"
_CLIENTS = (
    "BaseLM LM Provider TrainingJob Embedder inspect_history enable_litellm_logging disable_litellm_logging"
)
_TELEPROMPT = (
    "AvatarOptimizer BetterTogether BootstrapFewShot BootstrapFewShotWithOptuna "
    "BootstrapFewShotWithRandomSearch BootstrapFinetune COPRO Ensemble GEPA InferRules KNNFewShot "
    "LabeledFewShot "
    "MIPROv2 SIMBA bootstrap_trace_data"
)
_LOGS = "configure_dspy_loggers disable_logging enable_logging"
_SANDBOX = "CodeInterpreter FinalOutput PythonInterpreter CodeInterpreterError CodeExecutionError"
_STREAMING = (
    "StatusMessage StatusMessageProvider StreamListener StreamResponse streamify streaming_response "
    "apply_sync_streaming"
)

MODULES: dict[str, str] = {
    "dspy": (
        f"{_PREDICT} {_PRIMITIVES} {_RETRIEVERS} {_SIGNATURES} {_TELEPROMPT} {_ADAPTERS} {_TYPES} {_CLIENTS} "
        f"{_ERRORS} {_LOGS} Flex Evaluate configure_cache asyncify syncify load streamify "
        f"track_usage settings "
        "ColBERTv2 configure load_settings context cache BootstrapRS Assert Suggest"
    ),
    # Signatures, data, programs.
    "dspy.signatures": _SIGNATURES,
    "dspy.signatures.field": "InputField OutputField OldField OldInputField OldOutputField",
    "dspy.signatures.signature": (
        "Signature SignatureMeta InputField OutputField ensure_signature infer_prefix make_signature"
    ),
    "dspy.signatures.utils": "get_dspy_field_type",
    "dspy.primitives": _PRIMITIVES,
    "dspy.primitives.assertions": "Assert Suggest DSPyAssertionError DSPySuggestionError",
    "dspy.primitives.base_module": "BaseModule",
    "dspy.primitives.module": "Module BaseModule",
    "dspy.primitives.program": "Module BaseModule",
    "dspy.primitives.example": "Example",
    "dspy.primitives.prediction": "Prediction Completions Example",
    "dspy.primitives.code_interpreter": f"{_SANDBOX} resolve_interpreter_factory",
    "dspy.primitives.python_interpreter": _SANDBOX,
    "dspy.primitives.local_interpreter": "LocalInterpreter",
    "dspy.primitives.repl_types": "REPLEntry REPLHistory REPLVariable",
    "dspy.primitives.sandbox_serializable": "SandboxSerializable",
    # Modules.
    "dspy.predict": _PREDICT,
    "dspy.predict.aggregation": "majority default_normalize Completions Prediction normalize_text",
    "dspy.predict.avatar": "Avatar Action ActionOutput Actor",
    "dspy.predict.avatar.avatar": "Avatar",
    "dspy.predict.avatar.models": "Action ActionOutput Tool",
    "dspy.predict.avatar.signatures": "Actor",
    "dspy.predict.best_of_n": "BestOfN",
    "dspy.predict.chain_of_thought": "ChainOfThought",
    "dspy.predict.code_act": "CodeAct",
    "dspy.predict.flex": "Flex",
    "dspy.predict.knn": "KNN",
    "dspy.predict.multi_chain_comparison": "MultiChainComparison",
    "dspy.predict.parallel": "Parallel",
    "dspy.predict.parameter": "Parameter",
    "dspy.predict.predict": "Predict",
    "dspy.predict.program_of_thought": "ProgramOfThought",
    "dspy.predict.react": "ReAct",
    "dspy.predict.react_v2": "ReActV2",
    "dspy.predict.refine": "Refine OfferFeedback",
    "dspy.predict.retry": "",
    "dspy.predict.rlm": "RLM REPLEntry REPLHistory REPLVariable",
    # Adapters and values.
    "dspy.adapters": f"{_ADAPTERS} {_TYPES}",
    "dspy.adapters.base": "Adapter",
    "dspy.adapters.baml_adapter": "BAMLAdapter",
    "dspy.adapters.chat_adapter": "ChatAdapter FieldInfoWithName",
    "dspy.adapters.json_adapter": "JSONAdapter",
    "dspy.adapters.two_step_adapter": "TwoStepAdapter",
    "dspy.adapters.utils": (
        "format_field_value get_annotation_name get_dspy_field_type parse_value serialize_for_json"
    ),
    "dspy.adapters.xml_adapter": "XMLAdapter",
    "dspy.adapters.types": _TYPES,
    "dspy.adapters.types.audio": "Audio",
    "dspy.adapters.types.base_type": "Type",
    "dspy.adapters.types.citation": "Citations",
    "dspy.adapters.types.code": "Code",
    "dspy.adapters.types.decision": "Choice Noul Score",
    "dspy.adapters.types.document": "Document",
    "dspy.adapters.types.file": "File",
    "dspy.adapters.types.history": "History",
    "dspy.adapters.types.image": "Image",
    "dspy.adapters.types.reasoning": "Reasoning",
    "dspy.adapters.types.tool": "Tool ToolCalls ToolCallResults",
    "dspy.experimental": "Citations Choice Noul Score Document TypeSafe ReAnchor",
    # Language models.
    "dspy.clients": f"{_CLIENTS} configure_cache configure_litellm_logging Cache default_cache_dir",
    "dspy.clients.base_lm": "BaseLM inspect_history",
    "dspy.clients.cache": "Cache request_cache",
    "dspy.clients.embedding": "Embedder",
    "dspy.clients.errors": _ERRORS.replace("DSPyError ", "").replace(" AdapterParseError", ""),
    "dspy.clients.lm": "LM",
    "dspy.clients.lm_local": "LocalProvider",
    "dspy.clients.openai": "OpenAIProvider",
    "dspy.clients.provider": "Provider TrainingJob ReinforceJob",
    "dspy.clients.typesafe": "TypeSafe",
    "dspy.clients.utils_finetune": "TrainDataFormat",
    "dspy.lm15": "",
    "dspy.lm15.types": "",
    # Retrieval.
    "dspy.retrievers": _RETRIEVERS,
    "dspy.retrievers.embeddings": "Embeddings EmbeddingsWithScores",
    "dspy.retrievers.retrieve": "Retrieve single_query_passage",
    "dspy.retrieve": "Retrieve",
    "dspy.dsp": "",
    "dspy.dsp.colbertv2": "ColBERTv2 ColBERTv2RetrieverLocal ColBERTv2RerankerLocal",
    "dspy.dsp.utils": "settings dotdict dotdict_lax deduplicate flatten DEFAULT_CONFIG Settings",
    "dspy.dsp.utils.settings": "settings DEFAULT_CONFIG Settings dotdict",
    "dspy.dsp.utils.utils": "dotdict dotdict_lax deduplicate flatten",
    # Measuring and data.
    "dspy.evaluate": (
        "CompleteAndGrounded SemanticF1 Evaluate EvaluationResult EM answer_exact_match answer_passage_match "
        "normalize_text"
    ),
    "dspy.evaluate.auto_evaluation": "SemanticF1 CompleteAndGrounded",
    "dspy.evaluate.evaluate": "Evaluate EvaluationResult",
    "dspy.evaluate.metrics": (
        "EM F1 HotPotF1 answer_exact_match answer_passage_match precision_score normalize_text"
    ),
    "dspy.datasets": "AlfWorld Colors DataLoader Dataset HotPotQA MATH",
    "dspy.datasets.alfworld": "AlfWorld",
    "dspy.datasets.colors": "Colors",
    "dspy.datasets.dataloader": "DataLoader",
    "dspy.datasets.dataset": "Dataset",
    "dspy.datasets.gsm8k": "GSM8K gsm8k_metric parse_integer_answer",
    "dspy.datasets.hotpotqa": "HotPotQA",
    "dspy.datasets.math": "MATH extract_answer",
    # Compiling.
    "dspy.teleprompt": f"{_TELEPROMPT} Teleprompter",
    "dspy.teleprompt.avatar_optimizer": "AvatarOptimizer",
    "dspy.teleprompt.bettertogether": "BetterTogether",
    "dspy.teleprompt.bootstrap": "BootstrapFewShot",
    "dspy.teleprompt.bootstrap_finetune": "BootstrapFinetune FinetuneTeleprompter",
    "dspy.teleprompt.bootstrap_trace": "FailedPrediction TraceData bootstrap_trace_data",
    "dspy.teleprompt.copro_optimizer": "COPRO",
    "dspy.teleprompt.ensemble": "Ensemble",
    "dspy.teleprompt.gepa": "GEPA InstructionProposer",
    "dspy.teleprompt.gepa.gepa": "GEPA GEPAFeedbackMetric DspyGEPAResult",
    "dspy.teleprompt.gepa.gepa_utils": "ScoreWithFeedback DspyAdapter",
    "dspy.teleprompt.gepa.instruction_proposal": "InstructionProposer MultiModalInstructionProposer",
    "dspy.teleprompt.grpo": "GRPO",
    "dspy.teleprompt.infer_rules": "InferRules",
    "dspy.teleprompt.knn_fewshot": "KNNFewShot",
    "dspy.teleprompt.mipro_optimizer_v2": "MIPROv2",
    "dspy.teleprompt.random_search": "BootstrapFewShotWithRandomSearch",
    "dspy.teleprompt.reanchor": "ReAnchor",
    "dspy.teleprompt.signature_opt": "COPRO SignatureOptimizer",
    "dspy.teleprompt.simba": "SIMBA",
    "dspy.teleprompt.teleprompt": "Teleprompter",
    "dspy.teleprompt.teleprompt_optuna": "BootstrapFewShotWithOptuna",
    "dspy.teleprompt.vanilla": "LabeledFewShot",
    "dspy.propose": "GroundedProposer",
    "dspy.propose.grounded_proposer": "GroundedProposer",
    "dspy.propose.propose_base": "Proposer",
    # Running.
    "dspy.streaming": _STREAMING,
    "dspy.streaming.messages": "StatusMessage StatusMessageProvider StreamResponse",
    "dspy.streaming.streamify": "streamify streaming_response apply_sync_streaming",
    "dspy.streaming.streaming_listener": "StreamListener",
    "dspy.utils": (
        "BaseCallback DummyLM DummyVectorizer StatusMessage StatusMessageProvider download dummy_rm "
        "experimental "
        "pretty_print_history syncify with_callbacks"
    ),
    "dspy.utils.annotation": "experimental",
    "dspy.utils.asyncify": "asyncify",
    "dspy.utils.callback": "BaseCallback with_callbacks ACTIVE_CALL_ID",
    "dspy.utils.dummies": "DummyLM DummyVectorizer dummy_rm",
    "dspy.utils.exceptions": _ERRORS,
    "dspy.utils.inspect_history": "pretty_print_history",
    "dspy.utils.langchain_tool": "",
    "dspy.utils.logging_utils": _LOGS,
    "dspy.utils.mcp": "",
    "dspy.utils.parallelizer": "ParallelExecutor",
    "dspy.utils.saving": "load",
    "dspy.utils.syncify": "syncify",
    "dspy.utils.unbatchify": "Unbatchify",
    "dspy.utils.usage_tracker": "UsageTracker track_usage",
}
"""A module's path to the names in it."""
