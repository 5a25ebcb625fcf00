# Everything a person does here, one habit a target. Needs Python 3.10+ and make; the rest goes into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=
SIZE   ?= quick
# Most tests wait for processes and servers: more of them than processors go side by side.
WORKERS ?= 5
# A file is done by one process; they are begun in the order of tests/conftest.py, the longest first.
SHARED  := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# The share of the long form that is done.
TORTURE ?= 1

# Hundreds of processes are started by the tests: each would compile everything anew.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help demo hostpage test coverage torture check bench release docs clean

help:            ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY)   ## a Stash, a Plex and 200 scenes: see what the plugin does
	$(BIN)/python -m sandbox.demo $(ARGS)

hostpage: $(READY)  ## the libraries of Stash's own page, for a browser to look at the demo with (Node and npm)
	$(BIN)/python -m sandbox.hostpage

test: check      ## ruff, mypy, all tests: the page in a browser and the short fault suite among them
	@$(BIN)/python -m sandbox.hostpage >/dev/null 2>&1 || true
	$(BIN)/python -m pytest -q $(SHARED) $(ARGS)

coverage: check  ## the same, and how much of the code they reach: half as long again
	$(BIN)/python -m pytest -q $(SHARED) --ignore=tests/faults --ignore=tests/ui --cov --cov-report=term:skip-covered --cov-fail-under=90 $(ARGS)

torture: $(READY)  ## the fault suite in its long form, half an hour of it: kills, crowds, outages, nonsense, damage
	TORTURE=$(TORTURE) $(BIN)/python -m pytest -q -n 2 --dist loadfile tests/faults $(ARGS)

check: $(READY)  ## the quick part: ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(READY)  ## what it costs, against bare baselines: ten minutes; SIZE=full for large libraries
	$(BIN)/python -m benchmarks --size $(SIZE) $(ARGS)

release: $(READY)  ## the zip and the source index for Stash, into dist/
	$(BIN)/python -m release

docs: $(READY)   ## make anew what is made: the manifest, the page of settings, the picture
	$(BIN)/python -m release.manifest > Stash2Plex.yml.new && mv Stash2Plex.yml.new Stash2Plex.yml
	UPDATE_DOCS=1 $(BIN)/python -m pytest -q tests/docs/test_configuration.py
	$(BIN)/python -m sandbox.demo.picture docs/demo.svg

clean:           ## remove what was made here
	rm -rf $(VENV) build dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(READY): requirements.txt requirements-dev.txt requirements-ui.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Stash2Plex needs Python 3.10 or newer; this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-ui.txt || echo "No Playwright: the page will not be tested"
	@touch $@
