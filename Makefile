# Everything a person does here, one habit a target. Needs Python 3.10+ and make; the rest goes into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=

.PHONY: help demo test check clean

help:            ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /make \1  /p' $(MAKEFILE_LIST)

demo: $(READY)   ## a Stash, a Plex and 200 scenes: see what the plugin does
	$(BIN)/python -m sandbox.demo $(ARGS)

test: check      ## ruff, mypy, pytest with coverage
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered --cov-fail-under=90 $(ARGS)

check: $(READY)  ## the quick part: ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:           ## remove what was made here
	rm -rf $(VENV) .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(READY): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Stash2Plex needs Python 3.10 or newer; this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
