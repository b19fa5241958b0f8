# Two commands are enough: `make demo` and `make test`. Each installs what it needs, from locked versions.

PYTHON ?= python3
# A program of the system that tests need: there already, or installed by the administrator of a Debian.
install = { command -v $(1) >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends $(1) >/dev/null; }; }
BIN := .venv/bin
PYTEST = $(BIN)/python -m pytest -n $$($(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)') --dist loadfile --no-loadscope-reorder

TELL = --durations=20 --durations-min=1

.PHONY: help demo up down dashboard quick test attack endurance check format generate communes fingerprints bench lock clean

help:
	@echo "make demo       the whole life of the real convention, on a Prefect server of its own"
	@echo "make up         Prefect for good: server, worker, forms and rounds; they stay until make down"
	@echo "make down       stops them"
	@echo "make dashboard  the flow runs of the last demo in the Prefect UI (Ctrl-C stops it)"
	@echo "make quick      the law, the ledger and the command line, in under a minute"
	@echo "make test       the test suite: all that a change can break, in a few minutes"
	@echo "make attack     what docs/security.md says to be refused, tried on the real thing, in a table"
	@echo "make endurance  the long tests: crowds, kills at every statement, many processes at once, many more examples"
	@echo "make check      lint, types, import contracts, generated files"
	@echo "make bench      speed, as ratios inside one run"
	@echo "make communes   the list of communes again, from its published source (needs npm)"

demo: .venv/run.stamp
	@$(BIN)/jalon demo

up: .venv/run.stamp
	@$(BIN)/jalon up

down: .venv/run.stamp
	@$(BIN)/jalon down

dashboard: .venv/run.stamp
	@$(BIN)/jalon dashboard --home var/demo/prefect

quick: .venv/dev.stamp
	$(PYTEST) --dist worksteal -m "not endurance and not long" --hypothesis-profile=quick tests/law tests/ledger tests/cli

test: .venv/dev.stamp
	@$(call install,strace) || echo "strace is missing and cannot be installed here: the count of fsync on SQLite is left out."
	@$(call install,chromium) || echo "chromium is missing and cannot be installed here: the browser tests are left out."
	@# One more than there are cores: the tests of the desk mostly wait for servers.
	$(PYTEST) -m "not endurance" $(TELL)

attack: .venv/dev.stamp
	$(BIN)/python -m pytest -n 0 -m "not endurance" tests/attack

endurance: .venv/dev.stamp
	$(PYTEST) -m "endurance or hypothesis" --hypothesis-profile=endurance $(TELL)

check: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m flows.generated --check

format: .venv/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

generate: .venv/run.stamp
	$(BIN)/python -m flows.generated

communes: .venv/run.stamp
	$(BIN)/python -m flows.ports.build_communes

fingerprints: .venv/dev.stamp
	PYTHONPATH=. $(BIN)/python tests/support/fingerprints.py

bench: .venv/run.stamp
	$(BIN)/jalon bench

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "jalon needs Python 3.11 or later; try: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements/base.txt pyproject.toml | .venv/bin/python
	@echo "Installing jalon (about a minute the first time)..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/base.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

.venv/dev.stamp: requirements/dev.txt .venv/run.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

# New versions of everything, with their hashes. An upgrade is a commit of its own.
UV = $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --upgrade
lock: .venv/run.stamp
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements/lock.txt
	$(UV) requirements/base.in -o requirements/base.txt
	$(UV) requirements/dev.in -o requirements/dev.txt
	$(UV) requirements/lock.in -o requirements/lock.txt

clean:
	rm -rf .venv var build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
