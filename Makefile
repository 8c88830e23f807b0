# Temper's commands. `make` alone lists them.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# torch first and by its exact version: on a machine that holds that build, pip takes it from disk.
TORCH  := $(shell sed -n 's/^torch==/torch==/p' constraints.txt)

.PHONY: help setup demo test lint types imports unit format constraints clean

help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(STAMP) ## Make the virtual environment, once

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV), once: about two minutes"
	$(BIN)/pip install --quiet --constraint constraints.txt $(TORCH)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(STAMP) ## Run the whole pipeline on the sample documents
	$(BIN)/temper run demo

test: lint types imports unit ## Run all checks and tests

lint: $(STAMP) ## Style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## Types
	$(BIN)/mypy

imports: $(STAMP) ## flows -> tasks -> data_contracts
	$(BIN)/lint-imports

unit: $(STAMP) ## The tests
	$(BIN)/pytest

format: $(STAMP) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

constraints: ## Pin what a new environment resolves to
	$(PYTHON) -m venv $(VENV)-new
	$(VENV)-new/bin/pip install --quiet $(TORCH)
	$(VENV)-new/bin/pip install --quiet --editable '.[dev]'
	sed -n '/^#/p' constraints.txt > $(VENV)-new/constraints.txt
	$(VENV)-new/bin/pip freeze --exclude-editable | sed 's/+cpu$$//' >> $(VENV)-new/constraints.txt
	mv $(VENV)-new/constraints.txt constraints.txt
	rm -rf $(VENV)-new

clean: ## Remove the virtual environment and caches; datasets and models in .temper stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
