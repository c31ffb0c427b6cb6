"""Programs written for DSPy, run unchanged on DSPy and on telic, and what each asks a model compared."""
