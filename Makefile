# The commands of this project. They need Python 3.10 or newer and make; everything else is installed into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=
SIZE   ?= quick
# Most tests wait for processes and servers, so more of them than there are processors run side by side.
WORKERS ?= 5
# One process runs all tests of a module. The slowest modules begin first: see `slow` in pyproject.toml.
PARALLEL := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
COVERAGE := --cov --cov-report=term:skip-covered --cov-fail-under=90
# The share of the long form of the fault suite to run.
TORTURE ?= 1

# The tests start hundreds of processes; without cached bytecode each of them would compile every module again.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help demo hostpage test unit torture format check bench release docs clean

help:            ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY)   ## run the plugin between a simulated Stash and a simulated Plex with 200 scenes
	$(BIN)/python -m sandbox.demo $(ARGS)

hostpage: $(READY)  ## fetch the libraries of Stash's own page, to open the plugin's page in a browser (needs Node and npm)
	$(BIN)/python -m sandbox.hostpage

test: check      ## check, then run all tests with coverage; needs Chromium, Node and npm for the page
	@$(BIN)/python -m tests.ui.browser_requirements
	$(BIN)/python -m pytest -q $(PARALLEL) $(COVERAGE) $(ARGS)

unit: $(READY)   ## run the unit tests only: seconds
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m unit $(ARGS)

torture: $(READY)  ## run the long form of the fault suite, half an hour: kills, crowds, outages, hostile input, damage
	TORTURE=$(TORTURE) $(BIN)/python -m pytest -q -n 2 --dist loadfile tests/faults $(ARGS)

format: $(READY)  ## format the code
	$(BIN)/ruff format .

check: $(READY)  ## run the formatter's check, ruff and mypy: seconds
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(READY)  ## measure the costs against bare baselines: ten minutes, or an hour with SIZE=full
	$(BIN)/python -m benchmarks --size $(SIZE) $(ARGS)

release: $(READY)  ## build the zip and the source index for Stash into dist/
	$(BIN)/python -m release

docs: $(READY)   ## write the generated files: the manifest, the settings page, the demo's picture
	$(BIN)/python -m release.manifest > Stash2Plex.yml.new && mv Stash2Plex.yml.new Stash2Plex.yml
	UPDATE_DOCS=1 $(BIN)/python -m pytest -q tests/docs/test_configuration.py
	$(BIN)/python -m sandbox.demo.picture docs/demo.svg

clean:           ## remove everything that these commands made
	rm -rf $(VENV) build dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(READY): requirements.txt requirements-dev.txt requirements-ui.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Stash2Plex needs Python 3.10 or newer; this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-ui.txt || \
	  echo "Playwright could not be installed, so \`make test\` cannot test the page"
	@touch $@
