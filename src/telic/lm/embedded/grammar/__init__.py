"""Grammars for answers: from GBNF or a JSON schema to the pattern language of llama.cpp's quick engine."""
