"""Word problems and intents on the embedded models, as declared and compiled."""
