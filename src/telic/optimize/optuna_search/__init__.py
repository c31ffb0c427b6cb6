"""Search by Optuna's samplers, and `BootstrapFewShotWithOptuna`."""
