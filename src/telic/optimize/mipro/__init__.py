"""`MIPROv2`: instructions and demonstrations chosen together."""
