"""A shop's service desk: τ-bench's retail tasks (Yao et al., 2024, arXiv:2406.12045), tools of our own."""
