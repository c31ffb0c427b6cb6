# Everything a person does in a checkout. Needs only make and Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PINS := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types layers format bench bench-snips bench-embedded bench-prefix bench-constrained bench-dspy-programs bench-compile bench-optimizers bench-agents bench-convert bench-finetune bench-retrieval bench-colbert-qa test-kills bench-baleen docs clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# A stamp per set of extras: installing again is only needed when the pins change.
$(VENV)/.local: $(PINS) | $(BIN)/python
	$(PIP) --editable '.[local]'
	@touch $@

$(VENV)/.dev: $(PINS) | $(BIN)/python
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.local

setup: $(VENV)/.dev  ## make .venv with everything a developer needs

demo: $(VENV)/.local  ## compile a program on a small model in this process, and see it get better
	$(BIN)/telic demo $(ARGS)

lint: $(VENV)/.dev  ## ruff: rules and format
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy

layers: $(VENV)/.dev  ## no import points up or across
	$(BIN)/python -m pytest tests/project/test_layers.py

# The gates come first: they are quick, and a broken one makes the rest moot.
test: lint types layers  ## all gates and all tests; ARGS go to pytest
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

format: $(VENV)/.dev  ## rewrite the code as lint wants it
	$(BIN)/ruff check --fix src tests benchmarks
	$(BIN)/ruff format src tests benchmarks

bench: $(VENV)/.local  ## measure against DSPy, in an environment of its own
	$(BIN)/python -m benchmarks.framework $(ARGS)

bench-snips: $(VENV)/.local  ## intents on a small model, telic's search against DSPy's; half an hour
	$(BIN)/python -m benchmarks.snips_intents $(ARGS)

bench-embedded: $(VENV)/.local  ## word problems and intents on both small models, as declared and compiled
	$(BIN)/python -m benchmarks.embedded_tasks $(ARGS)

bench-prefix: $(VENV)/.local  ## what it saves that prompts with the same beginning follow each other
	$(BIN)/python -m benchmarks.prefix_reuse $(ARGS)

bench-constrained: $(VENV)/.local  ## a small model held to four formats, a hundred times
	$(BIN)/python -m benchmarks.constrained $(ARGS)

bench-dspy-programs: $(VENV)/.dev  ## programs written for DSPy, on both: the same requests, the same answers
	$(BIN)/python -m benchmarks.dspy_programs $(ARGS)

bench-compile: $(VENV)/.local  ## a large compile's memory and journal; seconds per call of a search, beside DSPy's
	$(BIN)/python -m benchmarks.compile_scale $(ARGS)

bench-agents: $(VENV)/.local  ## agents on public data: scripted, all must be right; and on the small model
	$(BIN)/python -m benchmarks.agents $(ARGS)

bench-optimizers: $(VENV)/.dev  ## three optimizers on three tasks, beside DSPy's; many hours, goes on where it ended
	$(BIN)/python -m benchmarks.optimizers $(ARGS)

bench-convert: $(VENV)/.dev  ## both small models in both forms, with a LoRA put on, merged and quantised
	$(BIN)/python -m benchmarks.convert $(ARGS)

bench-finetune: $(VENV)/.dev  ## a LoRA on the small model, from two hundred examples; some minutes
	$(BIN)/python -m benchmarks.finetune_local $(ARGS)

bench-colbert-qa: $(VENV)/.dev  ## rounds of relevance-guided supervision and a reader, trained here; half an hour
	$(BIN)/python -m benchmarks.colbert_qa $(ARGS)

bench-retrieval: $(VENV)/.dev  ## late interaction beside exact MaxSim, BM25, single vectors and fast-plaid
	$(BIN)/python -m benchmarks.retrieval $(ARGS)

test-kills: $(VENV)/.dev  ## kill a writer of an index at every step of every change; a few minutes
	TELIC_EVERY_STEP=1 $(BIN)/python -m pytest tests/retrieval_index/test_kills.py

bench-baleen: $(VENV)/.dev  ## multi-hop retrieval on HotPotQA and HoVer, beside single searches
	$(BIN)/python -m benchmarks.baleen $(ARGS)

docs: $(VENV)/.dev  ## run every Python block of the README and the pages
	$(BIN)/python -m pytest tests/project/test_docs.py

clean:  ## remove environments, caches and build output (not .telic, which holds pulled weights)
	rm -rf .venv .venv-bench build dist site .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
