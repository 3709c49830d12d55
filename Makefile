# Everything a clone can do. JOBS stages run side by side; results do not depend on it.
PYTHON ?= python3
JOBS ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 1)
VENV := .venv
BIN := $(VENV)/bin
SUITE ?= params.yaml
SEEDS ?= 3
# Stages call 'python', and each process keeps to one thread unless its suite says otherwise.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export OMP_NUM_THREADS ?= 1
export MLFLOW_DISABLE_TELEMETRY := true

.DEFAULT_GOAL := help
.PHONY: help install repro test verify ui spread lint bench lock clean

help:  ## list what this Makefile can do
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18
	@echo "  JOBS=N            stages side by side (default: number of cores)"
	@echo "  SUITE=FILE        another suite, for example real/params.yaml"

install: $(VENV)/installed  ## create .venv with the pinned requirements (done by the others as needed)

$(VENV)/installed: requirements.lock pipeline/commands/fit_torchaudio.py
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --only-binary :none: kenlm==0.3.0 2>/dev/null \
	  || echo "kenlm was not installed (it needs a C++ compiler): tests that compare with it will be skipped"
	$(BIN)/python -m pipeline.commands.fit_torchaudio
	@touch $@

repro: $(VENV)/installed  ## train, score and rank every system of the embedded suite
	@$(BIN)/python -m pipeline.commands.repro $(SUITE) --jobs $(JOBS)

test: $(VENV)/installed  ## run the test suite
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

verify: $(VENV)/installed  ## retrain in an empty clone, compare with what is committed
	@$(BIN)/python -m pipeline.commands.verify --jobs $(JOBS)

ui: $(VENV)/installed  ## compare runs in MLflow, on this machine only
	@$(BIN)/python -m pipeline.tracking.publish $(SUITE)
	@$(BIN)/python -m pipeline.tracking.ui

spread: $(VENV)/installed  ## measure how far scores move between training seeds
	@$(BIN)/python -m pipeline.commands.spread $(SUITE) --seeds $(SEEDS) --jobs $(JOBS)

lint: $(VENV)/installed  ## check style
	@$(BIN)/python -m ruff check .

clean:  ## remove what can be made again, but not .venv, data or results
	rm -rf work .pytest_cache .ruff_cache .hypothesis
