"""GEPA: texts of a program evolved by reflection on its runs (Agrawal et al., 2025, arXiv:2507.19457)."""
