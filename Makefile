# Everything below sets up what it needs: a fresh machine with Python 3.11 or newer and make will do.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
WORKERS ?= 2

.DELETE_ON_ERROR:
.PHONY: help test check-format lint types unit browser nginx node demo bench long caches record \
  screenshots taken-out journeys scripts clean

help:
	@echo "make test    format, lint, types, import law, tests with branch coverage"
	@echo "make demo    four visits to a small shop, served on 127.0.0.1:8000 (ARGS=--once: print and exit)"
	@echo "make bench   the speed figures, in one interleaved run"
	@echo "make long    the property tests with many more examples"
	@echo "make caches  the tests behind a caching proxy with many more requests"
	@echo "make record  record anew what a real Chromium stores"
	@echo "make screenshots  take the pictures of docs/images anew"
	@echo "make scripts     make what is sent of the scripts anew"
	@echo "make journeys     every journey in both browsers through all example shops"
	@echo "make taken-out    take one feature after another out, and see that its journeys fail"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

# Two stamps, so that the demo need not wait for what only the tests use.
$(VENV)/demo.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[cli]" --group demo
	touch $@

$(VENV)/dev.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[cli,geo]" --group dev
	touch $@ $(VENV)/demo.stamp

test: check-format lint types unit

check-format: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

# The import law is tests/test_architecture.py. Real browsers and a real nginx are looked for, and
# installed where this may be done (root on Debian); elsewhere their tests are skipped, and say so.
unit: $(VENV)/dev.stamp browser nginx $(VENV)/node.stamp
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --cov --cov-report= $(ARGS)
	$(BIN)/coverage report --fail-under=95

browser:
	@{ command -v chromium && { command -v firefox-esr || command -v firefox; }; } >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium firefox-esr >/dev/null; }; } || \
	  echo "no Chromium or no Firefox here: the tests that need it are skipped"

# axe-core looks at pages, typescript reads the scripts and terser makes them small: all of them lie
# below the virtual environment. Of terser it is one version: others would send other bytes.
# Where there is no npm the stamp is not made, so that the next run looks for it again.
$(VENV)/node.stamp: Makefile | node $(BIN)/python
	@! command -v npm >/dev/null || { npm install --no-save --no-package-lock --no-audit --no-fund \
	  --silent --prefix $(VENV)/node axe-core@4 typescript@5 terser@5.51.4 && touch $@; }

node:
	@{ command -v node && command -v npm; } >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  { apt-get update -qq && apt-get install -qq -y --no-install-recommends nodejs npm >/dev/null; }; } || \
	  echo "no node or no npm here: the tests that need it are skipped"

# The package starts a server of its own, which nobody asked for: the tests start theirs.
nginx:
	@command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  { apt-get update -qq && apt-get install -qq -y --no-install-recommends nginx >/dev/null && \
	    { service nginx stop; update-rc.d nginx disable; } >/dev/null 2>&1; command -v nginx >/dev/null; }; } || \
	  echo "no nginx here: the tests that need it are skipped"

demo: $(VENV)/demo.stamp
	$(BIN)/consentgate demo $(ARGS)

bench: $(VENV)/dev.stamp
	$(BIN)/python benchmarks/exchange.py $(ARGS)

long: $(VENV)/dev.stamp
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest tests/property $(ARGS)

# 20,000 requests to each of the sites in each configuration of the cache; it says the hit rates.
caches: $(VENV)/dev.stamp nginx
	CONSENTGATE_CACHE_REQUESTS=20000 $(BIN)/python -m pytest tests/proxies/test_shared_cache.py \
	  -o log_cli=true --log-cli-level=INFO $(ARGS)

record: $(VENV)/dev.stamp browser
	$(BIN)/python tests/recordings/record_chromium.py $(ARGS)

screenshots: $(VENV)/dev.stamp browser
	cd tests && ../$(BIN)/python -m journeys.screenshots $(ARGS)

scripts: $(VENV)/dev.stamp $(VENV)/node.stamp
	cd tests && ../$(BIN)/python -m web.small

# Ten minutes or so.
taken-out: $(VENV)/dev.stamp browser
	cd tests && ../$(BIN)/python -m journeys.taken_out $(ARGS)

# In `make test` each goes through one of the shops in Firefox.
journeys: $(VENV)/dev.stamp browser
	CONSENTGATE_JOURNEYS=all $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile tests/journeys $(ARGS)

clean:
	rm -rf $(VENV) .coverage* .hypothesis .mypy_cache .ruff_cache
