# Two commands are all a newcomer needs: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
LOADERS := .bench-venvs/loaders
PYWB := .bench-venvs/pywb

help:            ## what can be made
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1|/' | column -t -s '|'

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked dependencies into .venv (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(READY)  ## the virtual environment with the locked dependencies

demo: $(READY)   ## crawl the bundled replica twice into demo-archive/ and show what came of it
	@$(BIN)/python -m tests.replica.demo

crawl: $(READY)  ## the live site into archive/
	@$(BIN)/scrapy crawl china_tech

test: $(READY)   ## the tests
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

# Not installed is no fault: the tests that need it say so and are left out. A minute, once, and 830 MB.
$(LOADERS)/.ready: tests/loaders.txt $(READY)
	@echo "Installing the loaders of exports into $(LOADERS) (once) ..."
	@{ $(PYTHON) -m venv --clear $(LOADERS) && $(LOADERS)/bin/python -m pip install --quiet --disable-pip-version-check --retries 1 \
	  --no-deps -r tests/loaders.txt && touch $@; } || echo "The loaders cannot be installed here: tests/test_loaders.py is left out."

test-loaders: $(LOADERS)/.ready  ## exports through datasets, DuckDB, Polars, pandas and mlcroissant, which it installs
	@$(BIN)/python -m pytest -rs tests/test_loaders.py

# As above: 20 s, once, and 100 MB.
$(PYWB)/.ready: tests/pywb.txt $(READY)
	@echo "Installing pywb into $(PYWB) (once) ..."
	@{ $(PYTHON) -m venv --clear $(PYWB) && $(PYWB)/bin/python -m pip install --quiet --disable-pip-version-check --retries 1 \
	  --no-deps -r tests/pywb.txt && touch $@; } || echo "pywb cannot be installed here: the tests that replay with it are left out."

test-pywb: $(PYWB)/.ready  ## archives replayed by pywb, which it installs: pages, and both kinds of revisit
	@$(BIN)/python -m pytest -rs tests/archive/test_cdxj.py tests/test_index_in_step.py -k pywb

lint: $(READY)   ## ruff, mypy strict, the layer contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: lint $(LOADERS)/.ready $(PYWB)/.ready test ## what CI runs

test-kill: $(READY)  ## 20 rounds of kill -9, SIGTERM and overlapping starts against the replica
	@$(BIN)/python -m tests.flows.kill --rounds 20

test-hazards: $(READY)  ## hazards, robots.txt modes and faults of the machine, each alone, then all hazards at once: a table
	@$(BIN)/python -m tests.hazards

fuzz: $(READY)   ## damaged pages, lists, seeds files, WARC files and URLs by the thousand; FUZZ_EXAMPLES=N of each reader
	@$(BIN)/python -m pytest -n 2 tests/fuzz --hypothesis-profile fuzz

page: $(READY)   ## a page folder for the tests: make page URL=... FILE=page.html, or WARC=...
	@$(BIN)/python -m tests.pages.make $(if $(URL),--url "$(URL)") $(if $(FILE),--file "$(FILE)") $(if $(WARC),--warc "$(WARC)") $(ARGS)

bench: $(READY)   ## all benchmarks, half an hour or more, and a short table of what they say of their goals
	@$(BIN)/python -m benchmarks

bench-endtoend: $(READY)  ## pages on a server in, texts on the disk out: CPU a page beside five peers
	@$(BIN)/python -m benchmarks.endtoend

bench-growth: $(READY)  ## CPU a page and memory when the archive holds 1,000 and 10,000 articles
	@$(BIN)/python -m benchmarks.growth

bench-extraction: $(READY)  ## the yardstick: ours beside trafilatura, readability, newspaper4k and GNE
	@$(BIN)/python -m benchmarks.extraction

bench-dedup: $(READY)  ## near duplicates: ours beside datasketch, rensa and simhash
	@$(BIN)/python -m benchmarks.dedup

bench-archive: $(READY)  ## WARC records a second, beside bare warcio
	@$(BIN)/python -m benchmarks.archive

bench-recrawl: $(READY)  ## what a night costs the site, beside plain Scrapy and trafilatura's own crawler
	@$(BIN)/python -m benchmarks.recrawl

bench-memory: $(READY)  ## memory of a crawl with 100,000 known addresses and 20,000 pages
	@$(BIN)/python -m benchmarks.memory

bench-bulk: $(READY)  ## replay, reextract, verify and export of whole archives, beside the bare extraction
	@$(BIN)/python -m benchmarks.bulk

profile: $(READY)  ## where the time goes, by part: in a crawl, and when an archive is read again
	@$(BIN)/python -m benchmarks.profile

lock: $(READY)   ## requirements.lock anew from pyproject.toml (needs uv)
	@uv pip compile pyproject.toml --group dev --generate-hashes --no-emit-index-url --no-header --python-version 3.11 -o requirements.lock

.PHONY: help setup demo crawl test lint check test-loaders test-pywb test-kill test-hazards fuzz page bench bench-endtoend bench-growth bench-extraction bench-dedup bench-archive bench-recrawl bench-memory bench-bulk profile lock
