# Two commands matter: `make study` and `make test`. Both set up what they need in .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The lock without its hashes: what an extra brings may not move what is locked.
PINS ?= build/pins.txt
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
