# One door for tasks. Needs Python 3.11+ and make; everything else is made here, in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
WORKERS ?= 2
PORT ?= 3000
PEERS := .venv-peers
PEERS_STAMP := $(PEERS)/.ready
AUDIT := .venv-audit
AUDIT_STAMP := $(AUDIT)/.ready
BENCH ?=
DATA ?=
EVAL ?=
DUCKDB_NEXT := 2.0.0

# A company mirror that pip is configured for serves uv too.
ifeq ($(UV_DEFAULT_INDEX),)
PIP_INDEX := $(shell $(PYTHON) -m pip config get global.index-url 2>/dev/null)
ifneq ($(PIP_INDEX),)
export UV_DEFAULT_INDEX := $(PIP_INDEX)
endif
endif

# Tests start hundreds of interpreters: each would compile Dagster anew (images of containers set it).
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo ui test test-all check format bench eval conformance audit peers faults lock test-duckdb-next clean

help: ## list what can be made
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

setup: $(STAMP) ## make the environment in .venv from requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Isthmus needs Python 3.11 or newer; this is %s. Try: make PYTHON=python3.11" % sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -oE '^uv==[0-9.]+' requirements.lock)"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## sync the sample company and print what is wrong between its systems
	$(BIN)/isthmus demo

ui: $(STAMP) ## open Dagster on what the demo made (http://127.0.0.1:3000; another: make ui PORT=3001)
	$(BIN)/python -m pipelines.sample ui $(PORT)

test: $(STAMP) ## run the tests
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not slow"

test-all: $(STAMP) ## run the tests, the slow ones too
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-duckdb-next: $(STAMP) ## run the warehouse and mapping tests on the next DuckDB
	@test -x $(VENV)-next/bin/python || $(PYTHON) -m venv $(VENV)-next
	$(BIN)/uv pip sync --quiet --python $(VENV)-next/bin/python --require-hashes requirements.lock
	@# without our own pyproject's constraint on the version
	$(BIN)/uv pip install --no-config --quiet --python $(VENV)-next/bin/python --no-deps duckdb==$(DUCKDB_NEXT)
	$(BIN)/uv pip install --quiet --python $(VENV)-next/bin/python --no-deps --no-build-isolation --editable .
	$(VENV)-next/bin/pytest -n $(WORKERS) -m "not slow" -q tests/warehouse tests/mappings

check: $(STAMP) ## formatting, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## format and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP) peers ## measure the path against a bare floor and dlt (ratios of one run)
	$(BIN)/python -m tests.bench $(BENCH)

eval: $(STAMP) ## judge the matching of parties, a JSON line a data set (a folder: make eval DATA=folder)
	@$(BIN)/python -m tests.eval $(if $(DATA),--data "$(DATA)") $(EVAL)

conformance: $(STAMP) ## play the conformance suite on every connector, write docs/connectors.md
	$(BIN)/python -m tests.conformance --write

peers: $(STAMP) $(PEERS_STAMP) ## make the environment of the tools that we are compared with

$(PEERS_STAMP): tests/peers/requirements.lock
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(BIN)/uv pip sync --no-config --quiet --python $(PEERS)/bin/python --require-hashes $<
	@touch $@

faults: $(STAMP) peers ## play every fault and attack, compare with dlt, write docs/reliability.md (about an hour)
	$(BIN)/python -m tests.faults --write --also models,attacks,peers

audit: $(STAMP) $(AUDIT_STAMP) ## bandit, pip-audit and a secret scan; each finding must be answered
	$(AUDIT)/bin/python -m tests.audit

$(AUDIT_STAMP): tests/audit/requirements.lock
	@test -x $(AUDIT)/bin/python || $(PYTHON) -m venv $(AUDIT)
	$(BIN)/uv pip sync --no-config --quiet --python $(AUDIT)/bin/python --require-hashes $<
	@touch $@

lock: $(STAMP) ## resolve requirements.lock anew (hashes, no hosts)
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --group dev pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --no-config --quiet --generate-hashes --no-emit-index-url --no-header tests/peers/requirements.in -o tests/peers/requirements.lock
	$(BIN)/uv pip compile --no-config --quiet --generate-hashes --no-emit-index-url --no-header tests/audit/requirements.in -o tests/audit/requirements.lock

clean: ## remove the environment and what the demo made
	rm -rf $(VENV) $(VENV)-next $(PEERS) $(AUDIT) var
