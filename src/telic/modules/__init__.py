"""Ready-made ways to reason, each a module of its own."""
