"""Measuring programs: Evaluate, results with confidence, metrics, paired comparison."""
