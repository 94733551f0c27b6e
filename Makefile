# Everything below sets up what it needs: a fresh machine with Python 3.11 or newer and make will do.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.DELETE_ON_ERROR:
.PHONY: help test check-format lint types unit browser demo bench record clean

help:
	@echo "make test    format, lint, types, import law, tests with branch coverage"
	@echo "make demo    four visits to a small shop, served on 127.0.0.1:8000 (ARGS=--once: print and exit)"
	@echo "make bench   the speed figures, in one interleaved run"
	@echo "make long    the property tests with many more examples"
	@echo "make record  record anew what a real Chromium stores"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

# Two stamps, so that the demo need not wait for what only the tests use.
$(VENV)/demo.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[cli]" --group demo
	touch $@

$(VENV)/dev.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[cli]" --group dev
	touch $@ $(VENV)/demo.stamp

test: check-format lint types unit

check-format: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

# The import law is tests/test_architecture.py. A real Chromium is looked for, and installed where
# this may be done (root on Debian); elsewhere its tests are skipped, and say so.
unit: $(VENV)/dev.stamp browser
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=95

browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium >/dev/null; }; } || \
	  echo "no Chromium here: the tests that need it are skipped"

demo: $(VENV)/demo.stamp
	$(BIN)/consentgate demo $(ARGS)

bench: $(VENV)/dev.stamp
	$(BIN)/python benchmarks/exchange.py $(ARGS)

long: $(VENV)/dev.stamp
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest tests/property $(ARGS)

record: $(VENV)/dev.stamp browser
	$(BIN)/python tests/recordings/record_chromium.py $(ARGS)

clean:
	rm -rf $(VENV) .coverage* .hypothesis .mypy_cache .ruff_cache
