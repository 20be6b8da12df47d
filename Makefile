# Two commands matter: `make study` and `make test`. Both set up what they need in .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The lock without its hashes: what an extra brings may not move what is locked.
PINS ?= build/pins.txt
TOOLS ?= .venv-tools
OSV ?= https://api.osv.dev/v1/query
EXTRA := $(INSTALL) --constraint $(PINS) --no-build-isolation --editable

.PHONY: study figures test test-all test-spark browser docs workshop lab lint bench lock audit

study: $(READY)
	$(BIN)/smo study -o results

figures: $(READY)
	$(BIN)/smo figures

test: $(READY) lint
	-$(BIN)/smo fetch collegemsg delab-twitter delab-reddit
	$(BIN)/pytest -n 2 -m "not slow"

test-all: $(READY) lint
	$(BIN)/pytest -n 2

test-spark:
	$(PYTHON) -m venv .venv-spark
	.venv-spark/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[test,spark]"
	.venv-spark/bin/pytest -m spark -W ignore tests/test_spark.py

# What the tests need to open the notebooks in Chromium.
browser: $(READY) $(PINS)
	$(EXTRA) ".[browser]"

# Runs the notebooks, the first time after a change; `make docs NOTEBOOKS=off` leaves them unrun.
NOTEBOOKS ?= cache
docs: $(READY) $(PINS)
	$(EXTRA) ".[docs]"
	$(BIN)/sphinx-build -W --keep-going -q -D nb_execution_mode=$(NOTEBOOKS) \
		-d build/doctrees -b html docs build/docs
	@echo "Documentation: build/docs/index.html"

# Two zips in build/workshop: one to hand out, one for who teaches.
workshop: $(READY)
	$(BIN)/python -m smo_research.workshop -o build/workshop

lab: $(READY)
	$(BIN)/jupyter lab notebooks

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY) $(PINS)
	$(EXTRA) ".[bench]"
	$(BIN)/python benchmarks/panels.py --sizes 1e5 1e6 5e6 --write

# For Python 3.11 to 3.13 and every system; keeps what is locked, if it still fits pyproject.toml.
# The newest of everything: `make lock LOCK=--upgrade`.
lock: $(TOOLS)/.ready
	$(PYTHON) -c 'import tomllib; \
		print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' | \
		$(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --extra test \
		--generate-hashes --no-header --no-annotate $(LOCK) -o requirements.lock pyproject.toml -

# Known vulnerabilities of what is locked; fails if there are any.
audit: $(TOOLS)/.ready
	@if $(TOOLS)/bin/python -c 'import requests; requests.post("$(OSV)", timeout=15, \
		json={"package": {"name": "pip", "ecosystem": "PyPI"}, "version": "26.0"}).raise_for_status()' \
		2> /dev/null; \
	then $(TOOLS)/bin/pip-audit --strict --disable-pip --progress-spinner off --cache-dir build/audit \
		--vulnerability-service osv --osv-url $(OSV) --requirement requirements.lock; \
	else echo "Nothing was audited: the database of vulnerabilities cannot be reached."; fi

$(TOOLS)/.ready: Makefile
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9 pip-audit==2.10.1
	touch $@

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "smo_research needs Python 3.11 to 3.13; name one with: make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --require-hashes --only-binary :all: --requirement requirements.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	touch $@

$(PINS): requirements.lock
	@mkdir -p $(@D)
	sed -n 's/ \\$$//; /==/p' $< > $@
