"""Training at a provider, or a server, that speaks OpenAI's finetuning interface."""
