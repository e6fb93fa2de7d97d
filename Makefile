SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo up test lint docs bench lock clean browser look-style look-types look-imports look-docs

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
WORKSPACE ?= demo-workspace
export UV_LINK_MODE ?= copy
# Hundreds of processes are started here; each would compile every module anew where bytecode is not kept.
export PYTHONDONTWRITEBYTECODE :=

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- environment -----------------------------------------------------------------------------------------------------
# uv is the one thing that pip installs, by hash; uv then installs the rest, by hash. No step needs root or ensurepip.
$(UV): requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with PYTHON=..."; exit 3; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { echo "pip is needed to start (Debian: the package python3-pip)"; exit 3; }
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	@$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

# The test set contains the demo set, so whoever has the first needs nothing for the second.
$(VENV)/.demo: $(UV) requirements/demo.txt pyproject.toml
	@if [ -e $(VENV)/.test ]; then :; else \
	  $(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/bootstrap.txt requirements/demo.txt && \
	  $(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable . ; fi
	@touch $@

$(VENV)/.test: $(UV) requirements/test.txt pyproject.toml
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/bootstrap.txt requirements/test.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(MAKE) --no-print-directory torch
	@touch $@ $(VENV)/.demo

# A folder of wheels that pip is pointed to (PIP_FIND_LINKS) may hold PyTorch's build for the processor alone, a quarter of the size;
# the build of the index needs the libraries in torch-cuda.txt to be imported at all.
TORCH := $(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --no-deps --require-hashes
.PHONY: torch
torch:
	@$(TORCH) --no-index -r requirements/torch.txt 2>/dev/null || $(TORCH) -r requirements/torch.txt
	@$(BIN)/python -c 'import torch' 2>/dev/null || $(TORCH) -r requirements/torch-cuda.txt

demo: $(VENV)/.demo ## Run the whole lifecycle on a real credit-risk table, then tamper with it
	@$(BIN)/trustplane demo --workspace $(WORKSPACE)

up: $(VENV)/.demo ## Serve the API, the console and the log of the demo workspace
	@$(BIN)/trustplane up --workspace $(WORKSPACE)

test: $(VENV)/.test browser ## Run every check: ruff, mypy, import-linter, tests, docs
	@$(MAKE) --no-print-directory --jobs 2 --output-sync look-types look-style look-docs look-imports
	@$(BIN)/python -m pytest -n 3 --dist loadscope --cov --cov-report=term:skip-covered $(PYTEST_ARGS)

look-style:
	@$(BIN)/ruff format --check --quiet . || { echo "run: make lint"; exit 1; }
	@$(BIN)/ruff check .

look-types:
	@$(BIN)/mypy

look-imports:
	@$(BIN)/lint-imports

look-docs:
	@$(BIN)/mkdocs build --quiet --strict

# The console is tested in Debian's Chromium. Root installs it; others use the one that is there, and the test says so if none is.
browser:
	@command -v chromium >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null 2>&1; }; } || \
	  echo "no chromium: the console tests in a browser are skipped"

lint: $(VENV)/.test ## Format and lint
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: $(VENV)/.test ## Build the documentation into site/
	@$(BIN)/mkdocs build --strict

bench: $(VENV)/.test ## Run the benchmarks; figures go to docs/benchmarks.md by hand
	@for b in bench/bench_*.py; do echo "== $$b"; $(BIN)/python $$b; done

COMPILE := pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock"
APART := ^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)==
# Of the wheel for the processor alone, as PyTorch publishes it for CPython 3.11 on x86_64.
TORCH_CPU := sha256:6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b
lock: ## Renew the locks in requirements/
	@$(or $(wildcard $(UV)),uv) $(COMPILE) requirements/torch.in -o requirements/torch-cuda.txt
	@awk '/^torch==/ {on = 1; print; print "    --hash=$(TORCH_CPU) \\"; next} /^[^ ]/ {on = 0} on' requirements/torch-cuda.txt > requirements/torch.txt
	@awk '/$(APART)/ {on = !/^torch==/} /^[^ ]/ && !/$(APART)/ {on = /^#/} on' requirements/torch-cuda.txt > $@.tmp && mv $@.tmp requirements/torch-cuda.txt
	@for set in "bootstrap requirements/bootstrap.in" "client pyproject.toml" \
	    "demo pyproject.toml requirements/build.in --extra plane --extra ml" \
	    "test pyproject.toml requirements/build.in --extra plane --extra ml --extra frames --extra sql --extra private --extra protect --extra contracts --extra excel --extra boosting --extra formats --extra notebooks --extra torch --group dev"; do \
	  set -- $$set; name=$$1; shift; $(or $(wildcard $(UV)),uv) $(COMPILE) -c requirements/torch.in \
	    $$(sed -nE 's/^([a-z0-9-]+)==.*/--no-emit-package \1/p' requirements/torch.txt requirements/torch-cuda.txt) \
	    "$$@" -o requirements/$$name.txt || exit 1; done

clean: ## Remove the environment, caches and the demo workspace
	@rm -rf $(VENV) site .pytest_cache .mypy_cache .ruff_cache .coverage* $(WORKSPACE)
