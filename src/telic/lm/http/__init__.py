"""Engines for servers and providers that speak OpenAI's protocol."""
