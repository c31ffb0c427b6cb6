"""Retrievers behind HTTP: the protocol of ColBERT servers, from both sides."""
