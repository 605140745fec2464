# Everything that is done with this repository, by name. Needs make, git and Python 3.11 or newer; the rest it sets up itself.

.SUFFIXES:
MAKEFLAGS += --no-print-directory

VENV   = .venv
BIN    = $(VENV)/bin
PYTEST = $(BIN)/python -m pytest
# The environment is as new as the lock's content, not as its date: a fresh checkout of the same lock rebuilds nothing.
LOCKED := $(shell git hash-object requirements.lock)
# The tests wait more than they work: one process more than there are cores.
WORKERS = $$($(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)')
READY  = $(VENV)/ready-$(LOCKED)

.PHONY: help demo test test-long check bench lock docs clean system

help: ## Say what can be done here
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## A small company on loopback to click through; with ONCE=1 the whole story plays by itself
	@$(BIN)/python -m cli.demo $(if $(ONCE),--once)

test: $(READY) system ## The everyday tests
	@$(PYTEST) -m "not long" --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

test-long: $(READY) system ## The tests that take longer: crashes by the dozen, long searches for bad input
	@$(PYTEST) -m "long and not alone" --timeout 1800 --numprocesses 2 --dist loadfile --no-loadscope-reorder
	@$(PYTEST) -m "long and alone" --timeout 1800

check: $(READY) ## Style, format, types, and that imports only go down
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(READY) system ## Measure, and write docs/performance.md and bench/results.json
	@$(BIN)/python -m bench

docs: $(READY) ## Refresh what the documents quote: tests, permissions and the README's transcript
	@$(BIN)/python -m tests.threat_table --write
	@$(BIN)/python -m tests.permission_table --write
	@$(BIN)/python -m tests.readme_story --write

lock: ## Resolve the dependencies of pyproject.toml anew, with hashes
	@python=$$(.ci/system python) && $$python -m venv .cache/lock
	@.cache/lock/bin/pip install --quiet 'uv>=0.9,<1'
	@.cache/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-emit-build-options --custom-compile-command 'make lock' \
		--extra demo --group dev --output-file requirements.lock pyproject.toml

clean: ## Remove the environment and every cache of this repository
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

system:
	@.ci/system programs

$(READY):
	@.ci/system venv
	@echo "Setting up $(VENV) from requirements.lock, with every hash checked."
	@python=$$(.ci/system python) && $$python -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --only-binary :all: \
		--requirement requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	@touch $@
