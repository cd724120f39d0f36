# make demo | test | check | format | grid | docs; each sets up .venv when it is missing or out of date.
# Variables: PYTHON=python3.12  VENV=folder  WORKERS=2  RUN=folder  COMMAND='walk twice'

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= auto
COMMAND ?= jump around left twice after walk opposite right
ifndef RUN
RUN := outputs/demo-$(shell date +%Y-%m-%d_%H-%M-%S)
endif

BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup demo test check format grid docs

help:
	@echo "make demo    train on SCAN, score it, and generate the actions for a command of yours"
	@echo "make test    all tests"
	@echo "make check   format check, lint, types and all tests"
	@echo "make format  put the code into the house format"
	@echo "make grid    train every encoder with every decoder, attention and frontend on a small task"
	@echo "make docs    the documentation as a site, build/site/index.html"

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Tandem needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Setting up $(VENV); this takes some minutes, once."
	@$(PIP) --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
	@echo "To use the command tandem in your shell: source $(BIN)/activate"

demo: $(READY)
	@$(BIN)/tandem train experiment=scan/demo run.folder=$(RUN) $(ARGS)
	@echo
	@echo "An attention map: $(RUN)/attention/test-0.png"
	@echo
	@if [ -t 0 ]; then \
		echo "Type a command, such as: $(COMMAND)"; \
		$(BIN)/tandem generate run=$(RUN) input=-; \
	else \
		echo "$(COMMAND)"; \
		echo "$(COMMAND)" | $(BIN)/tandem generate run=$(RUN) input=-; \
	fi

test: $(READY)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(WORKERS) --maxprocesses 8 --dist worksteal $(ARGS)

check: $(READY)
	@$(BIN)/ruff format --check --quiet . || { echo "Run make format." >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(MAKE) test

format: $(READY)
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet .

grid: $(READY)
	@$(BIN)/python benchmarks/grid.py $(ARGS)

docs: $(READY)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "build/site/index.html"
