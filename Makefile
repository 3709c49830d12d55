# Everything a clone can do. JOBS stages run side by side; results do not depend on it.
CHOSEN := $(filter-out undefined default,$(origin PYTHON))
PYTHON ?= python3
JOBS ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 1)
VENV := .venv
BIN := $(VENV)/bin
# Not bin/unrolled, which names the folder that it was made in: a clone may be renamed or copied.
UNROLLED := $(BIN)/python -m pipeline
SUITE ?= params.yaml
SEEDS ?= 5
# Stages call 'python', and each process keeps to one thread unless its suite says otherwise.
ifndef PATH_OUTSIDE
export PATH_OUTSIDE := $(PATH)
endif
export PATH := $(CURDIR)/$(BIN):$(PATH)
export OMP_NUM_THREADS ?= 1
export MLFLOW_DISABLE_TELEMETRY := true

.DEFAULT_GOAL := help
.PHONY: help check-python install try repro site test fuzz verify ui spread lint bench lock notebooks clean

help:  ## list what this Makefile can do
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22
	@echo "  JOBS=N              stages side by side (default: number of cores)"
	@echo "  SUITE=FILE          another suite, for example real/params.yaml"
	@echo "  TRACK=NAME          one track of it, for make repro and make try"
	@echo "  PYTHON=COMMAND      the Python for .venv, for example python3.12"

# What .venv was made with stays in use until another Python is named, or until it is broken.
check-python:  ## see that there is a Python to work with, and say what to do if not
	@if [ -z "$(CHOSEN)" ] && $(BIN)/python -c 'import pip' >/dev/null 2>&1 \
	  && $(BIN)/python pipeline/installation/check_python.py >/dev/null 2>&1; then exit 0; fi; \
	export PATH="$(PATH_OUTSIDE)"; \
	"$(PYTHON)" -c '' 2>/dev/null || { \
	  echo "error: '$(PYTHON)' does not run; name another Python: make PYTHON=python3.12" >&2; \
	  exit 2; }; \
	"$(PYTHON)" pipeline/installation/check_python.py $(VENV)

install: check-python  ## create .venv with the pinned requirements (done by the others as needed)
	@$(MAKE) --no-print-directory $(VENV)/installed

$(VENV)/installed: requirements.lock $(wildcard requirements/*.lock) pyproject.toml \
    pipeline/installation/install.py pipeline/installation/fit_torchaudio.py
	@test -x $(BIN)/python || PATH="$(PATH_OUTSIDE)" "$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pipeline.installation.install
	$(BIN)/python -m pipeline.installation.fit_torchaudio
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

try: install  ## train one small track; show its leaderboard and a picture
	@$(UNROLLED) try --jobs $(JOBS) $(if $(TRACK),--track $(TRACK))

repro: install  ## train, score and rank every system of the embedded suite
	@$(UNROLLED) repro --suite $(SUITE) --jobs $(JOBS) $(if $(TRACK),--track $(TRACK))

site: install  ## render all results as pages that open from disk, in site/
	@$(UNROLLED) site --output site

test: install  ## run the test suite
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

fuzz: install  ## try many more damaged, odd and random inputs than make test does
	@$(BIN)/python -m pytest -m fuzz --hypothesis-profile long -n $(JOBS) --dist loadfile

verify: install  ## retrain in an empty clone, compare with what is committed
	@$(UNROLLED) verify --jobs $(JOBS)

ui: install  ## compare runs in MLflow, on this machine only
	@$(UNROLLED) ui --suite $(SUITE)

spread: install  ## train the systems that claims name with further seeds; SEEDS=N
	@$(UNROLLED) spread --suite $(SUITE) --seeds $(SEEDS) --jobs $(JOBS)

notebooks: install  ## write the course's notebooks as .ipynb; those that are there stay
	@for script in docs/notebooks/*.py; do notebook=$${script%.py}.ipynb; \
	  if [ -e "$$notebook" ]; then echo "$$notebook stays as it is; remove it to have it anew"; \
	  else $(BIN)/python -m jupytext --quiet --to ipynb --output - "$$script" > "$$notebook.part" \
	      && mv "$$notebook.part" "$$notebook" || { rm -f "$$notebook.part"; exit 1; }; \
	    echo "$$notebook"; fi; done

lint: install  ## check style, and types where pyproject.toml configures mypy
	@$(BIN)/python -m ruff check .
	@if grep -q '^\[tool.mypy\]' pyproject.toml; then $(BIN)/python -m mypy; fi

bench: install  ## measure speed beside other software (see benchmarks/README.md)
	@set -e; for script in benchmarks/[a-z]*.py; do name=$$(basename $$script .py); \
	  [ $$name = timing ] || [ $$name = trained ] || { echo "benchmarks.$$name"; $(BIN)/python -m benchmarks.$$name; }; done

lock: install  ## write the lock files from pyproject.toml; UPGRADE=1 for the newest versions that fit
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/resolver.lock
	@$(BIN)/python -m pipeline.installation.lock $(if $(UPGRADE),--upgrade)

clean:  ## remove what can be made again, but not .venv, data or results
	rm -rf work build unrolled.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
