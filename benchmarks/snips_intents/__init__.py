"""Seven intents on a small embedded model: what random search makes of them, in telic and in DSPy."""
