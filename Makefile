# The two commands a newcomer types: `make demo` and `make test`. Both set up everything they need
# with Python 3.11+, git and make; `make test` also builds a real control plane where Go is present.

PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
BIN := .venv/bin

.PHONY: demo test check format bench clean
.DEFAULT_GOAL := help

help: ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/'

.tools/bin/uv:
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet uv

.venv/.synced: pyproject.toml uv.lock $(filter .tools/%,$(UV))
	$(UV) sync --quiet --all-extras --locked
	@touch $@

demo: .venv/.synced ## Show the main job end to end on this machine, no cluster needed
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/sealkit demo

check: .venv/.synced ## Format, lint, import contracts, types
	$(UV) lock --check --quiet
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

test: check ## Everything: checks, then all tests with coverage; the real control plane where Go is
	$(BIN)/python -m tests.cluster.build
	$(BIN)/coverage erase
	$(BIN)/pytest --cov --cov-report=
	$(BIN)/coverage report

bench: .venv/.synced ## Measure speed against the limits in docs/performance.md
	$(UV) sync --quiet --all-extras --group bench --locked
	$(BIN)/python -m tests.cluster.build
	$(BIN)/python -m tests.bench

format: .venv/.synced ## Format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove what was set up here
	rm -rf .venv .tools dist .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis
