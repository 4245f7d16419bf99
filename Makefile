# What one does with a checkout of attente; `make` alone lists it. Needs make and Python 3.11 or newer with its venv
# module, nothing else: everything more is installed into .venv from the locked requirements.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
# The first Python on the path that is new enough; `make PYTHON=/path/to/python3.12` names another.
PYTHON ?= $(or $(shell for python in python3 python3.13 python3.12 python3.11; do \
  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$python && break; done),python3)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
CACHES := .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

UV ?= $(or $(wildcard $(BIN)/uv),uv)
# Locked for every Python from 3.11 on and for every platform. What this machine has set up for itself (indexes, folders
# of wheels) must not get into the files: they name versions and hashes, and where to fetch them is the user's affair.
LOCK := env -u UV_FIND_LINKS -u PIP_FIND_LINKS $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 \
  --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

# The smaller set of packages is enough for the demo, unless the larger one is there already.
RUNTIME := $(or $(wildcard $(VENV)/.installed-dev),$(VENV)/.installed-demo)

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

$(BIN)/python:
	@version=$$($(PYTHON) -c 'import platform; print(platform.python_version())' 2>/dev/null) \
	  || { echo "attente: $(PYTHON) does not start; install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3.12" >&2; exit 5; }; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "attente: $(PYTHON) is Python $$version; attente needs 3.11 or newer: make PYTHON=/path/to/python3.12" >&2; exit 5; }; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "attente: $(PYTHON) cannot make a virtual environment; install its venv module (Debian: python3-venv)" >&2; exit 5; }; \
	echo "Making $(VENV) with Python $$version"; \
	$(PYTHON) -m venv $(VENV) && touch $(VENV)/.made-by-make

$(VENV)/.installed-%: requirements/%.txt pyproject.toml | $(BIN)/python
	@echo "Installing the locked packages of $< into $(VENV)"
	@$(PIP) install --require-hashes -r $<
	@$(PIP) install --no-index --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: setup
setup: $(VENV)/.installed-dev ## Make .venv and install everything that is locked, and attente itself

.PHONY: demo
demo: $(RUNTIME) ## Forty simulated offices, live, through a real Kafka and two workers (DEMO_ARGS="--offices 200 --workers 3")
	$(BIN)/attente demo $(DEMO_ARGS)

# As many files of tests at once; each process has a Kafka of its own, so reckon with 1 GB for each. Many tests wait for
# something most of the time, so three processes are what keeps two cores busy.
TEST_PROCESSES ?= 3
PYTEST := $(BIN)/python -m pytest -q -n $(TEST_PROCESSES) --dist loadfile --durations=25 --durations-min=5

# The core's own tests reach every branch of it; to trace the others would only slow them down.
.PHONY: test
test: setup ## The whole suite, with a real Kafka, Prometheus and Alertmanager; all branches of the core
	$(PYTEST) --dist worksteal tests/core --cov --cov-report=term-missing:skip-covered --cov-fail-under=100
	$(PYTEST) --ignore tests/core

.PHONY: test-fast
test-fast: setup ## The tests that need neither a Kafka nor other tools (TEST_ARGS="-k fold")
	$(BIN)/python -m pytest -q -m "not broker and not tools" $(TEST_ARGS)

.PHONY: coverage
coverage: setup ## Branch coverage of the core by its own tests; fails under 100 %
	$(BIN)/python -m pytest -q tests/core --cov --cov-report=term-missing --cov-fail-under=100

# The samples of rules and of Alertmanager's configuration, from the sample registry and the receivers beside it.
SAMPLE := deploy/alertmanager
RULES := docs/examples/registry.yaml --out dashboards/rules
ALERTMANAGER := $(BIN)/attente rules alertmanager docs/examples/registry.yaml --receivers $(SAMPLE)/receivers.yaml \
  --out $(SAMPLE)/alertmanager.yaml

.PHONY: lint
lint: setup ## Style, types, import rules, and whether generated files are what the code generates
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m attente.model.schemas check
	$(BIN)/python -m attente.metrics.catalogue check
	$(BIN)/attente dashboards check
	$(BIN)/attente rules check $(RULES)
	$(ALERTMANAGER) --check

.PHONY: format
format: setup ## Format the code, and mend what can be mended by itself
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: generate
generate: setup ## Write schemas and reference pages anew from the code
	$(BIN)/python -m attente.model.schemas build
	$(BIN)/python -m attente.metrics.catalogue build
	$(BIN)/attente dashboards build
	$(BIN)/attente rules build $(RULES)
	$(BIN)/python tests/grafana/rule_tests.py
	$(ALERTMANAGER)

.PHONY: bench
bench: setup ## Speed, memory and restart times beside an idiomatic Faust worker (BENCH_ARGS="--only drain")
	$(BIN)/python -m benchmarks.run $(BENCH_ARGS)

.PHONY: bench-growth
bench-growth: setup ## CPU and memory by offices, open tickets, partitions; cost of a scrape (GROWTH_ARGS="--events 20000")
	$(BIN)/python -m benchmarks.growth $(GROWTH_ARGS); code=$$?; $(BIN)/python -m benchmarks.growth_report; exit $$code

.PHONY: bench-live
bench-live: setup ## Lag and memory of workers under steady live load (LIVE_ARGS="--rate 5000 --minutes 2")
	$(BIN)/python -m benchmarks.live $(LIVE_ARGS); code=$$?; $(BIN)/python -m benchmarks.growth_report; exit $$code

.PHONY: preview
preview: setup ## Pages and pictures of the dashboards, from a simulated day of forty offices (PREVIEW_ARGS="--lang fr")
	$(BIN)/python tests/pictures.py $(PREVIEW_ARGS)

.PHONY: bench-rules
bench-rules: setup ## What the rules cost a Prometheus (RULES_ARGS="--offices 300")
	$(BIN)/python -m benchmarks.rules $(RULES_ARGS) | tee benchmarks/results/rules.json

.PHONY: bench-kiosk
bench-kiosk: setup ## What a kiosk accepts and sends in a second beside its disk alone; memory, start (KIOSK_ARGS="--held 10000")
	$(BIN)/python -m benchmarks.kiosk $(KIOSK_ARGS); code=$$?; $(BIN)/python -m benchmarks.growth_report; exit $$code

.PHONY: bench-signed
bench-signed: setup ## What looking at signatures costs a worker, plain core and compiled (SIGNED_ARGS="--rounds 3")
	$(BIN)/python -m benchmarks.signatures $(SIGNED_ARGS); code=$$?; $(BIN)/python -m benchmarks.growth_report; exit $$code

.PHONY: faults
faults: setup ## A kiosk killed a hundred times while its broker comes and goes; outages of two minutes
	ATTENTE_KILLS=100 $(BIN)/python -m pytest -q -s --timeout 1800 tests/kiosk/test_kiosk_kills.py
	ATTENTE_OUTAGE_S=120 $(BIN)/python -m pytest -q -s --timeout 1800 tests/kiosk/test_kiosk_outages.py

.PHONY: lock
lock: | $(BIN)/python ## Lock the requirements anew; needs uv (LOCK_ARGS="--upgrade" for newer versions)
	@$(UV) --version >/dev/null 2>&1 || { echo "attente: make lock needs uv; install it: $(BIN)/python -m pip install uv" >&2; exit 5; }
	$(LOCK) --extra all --group dev --output-file requirements/dev.txt $(LOCK_ARGS)
	$(LOCK) --extra all --group build --constraints requirements/dev.txt --output-file requirements/demo.txt

.PHONY: clean
clean: ## Remove .venv (if make made it) and all caches; the local Kafka's data in .attente stay
	@if [ -e $(VENV)/.made-by-make ]; then rm -rf $(VENV); fi
	@rm -rf $(CACHES)
	@find streams tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
