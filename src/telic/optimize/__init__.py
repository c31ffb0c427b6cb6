"""Compiling: optimizers, the engine they run on, and what a strategy of one's own is made of."""

from telic._lazy import exports

_TABLE = {
    "Attribution": "telic.optimize.attribution",
    "Auto": "telic.optimize.auto.search",
    "AvatarOptimizer": "telic.optimize.avatar_optimizer",
    "BetterTogether": "telic.optimize.better_together",
    "BootstrapFewShot": "telic.optimize.bootstrap_few_shot",
    "BootstrapFewShotWithOptuna": "telic.optimize.optuna_search.few_shot",
    "BootstrapFewShotWithRandomSearch": "telic.optimize.random_search",
    "BootstrapFinetune": "telic.optimize.bootstrap_finetune",
    "BootstrapRS": "telic.optimize.random_search",
    "COPRO": "telic.optimize.copro.optimizer",
    "Choice": "telic.optimize.strategy",
    "CompileReport": "telic.optimize.report",
    "Ensemble": "telic.optimize.ensemble",
    "GRPO": "telic.optimize.grpo",
    "Forecast": "telic.optimize.forecast",
    "GEPA": "telic.optimize.gepa.optimizer",
    "InferRules": "telic.optimize.infer_rules",
    "KNNFewShot": "telic.optimize.knn_few_shot",
    "LabeledFewShot": "telic.optimize.labeled",
    "MIPROv2": "telic.optimize.mipro.optimizer",
    "Optimizer": "telic.optimize.optimizer",
    "Outcome": "telic.optimize.strategy",
    "Problem": "telic.optimize.problem",
    "Ranked": "telic.optimize.strategy",
    "Result": "telic.optimize.strategy",
    "SIMBA": "telic.optimize.simba.optimizer",
    "Strategy": "telic.optimize.strategy",
    "Trial": "telic.optimize.strategy",
    "attribute": "telic.optimize.attribution",
    "compile": "telic.optimize.auto.entry",
    "distill": "telic.optimize.distill",
    "describing_runs": "telic.optimize.optimizer",
    "make_problem": "telic.optimize.problem",
    "race": "telic.optimize.racing",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
