# Fileroom: everything a person does with this tree. `make` alone prints the list.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run env dev peers test check lint unit docs bench soak requirements wheel clean

HOME_DIR ?= ./fileroom-data
WEB ?= 127.0.0.1:8080
DICOM ?= 127.0.0.1:11112
# Passed on to pytest, such as `make test ARGS="-k frames -x"`.
ARGS ?=
# Which rows of the benchmark to run, such as `make bench ROWS=store_ct,qido`; empty is all of them.
ROWS ?=
export ROWS

help: ## This list
	@echo "Fileroom. What you can make:"
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1@\2/p' $(MAKEFILE_LIST) | column -t -s @ 2>/dev/null \
	  || sed -nE 's/^([a-z]+):.*## (.*)/  make \1  \2/p' $(MAKEFILE_LIST)

run: ## Start Fileroom on this machine: web on 127.0.0.1:8080, DICOM on 127.0.0.1:11112, data in ./fileroom-data
	@scripts/env.sh run
	@.venv/bin/python scripts/web_assets.py try
	@exec .venv/bin/fileroom serve --home $(HOME_DIR) --web $(WEB) --dicom $(DICOM)

env: ## Make or refresh .venv and the viewer, which Fileroom runs on (about a second when nothing changed)
	@scripts/env.sh run
	@.venv/bin/python scripts/web_assets.py run

dev: ## Make or refresh .venv with what the tests and checks need as well
	@scripts/env.sh dev
	@.venv/bin/python scripts/web_assets.py dev

peers: ## Install the servers and tools the tests talk to (dcmtk, PostgreSQL, Orthanc, nginx, Chromium, strace) where missing
	@scripts/peers.sh

test: dev peers lint ## Everything that must hold before a change lands: lint, then all tests of every tier
	@scripts/test.sh $(ARGS)

check: dev lint unit ## Under a minute: ruff, mypy, import-linter, house rules, unit tests

lint: dev
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

unit: dev
	@.venv/bin/python -m pytest -q tests/unit tests/house $(ARGS)

docs: dev ## Write the generated pages under docs/ anew
	@.venv/bin/python -m scripts.generate_docs

bench: dev peers ## The benchmark against Orthanc as one Markdown table; ROWS=store_ct,qido for some of it
	@.venv/bin/python -m benches.run

soak: dev peers ## Long fault tests: 200 rounds of kill -9 and more
	@FILEROOM_SOAK=1 .venv/bin/python -m pytest tests/fault --timeout 7200 $(ARGS)

requirements: dev ## Pin the dependencies of pyproject.toml anew, with hashes
	@scripts/requirements.sh

wheel: dev ## Build the wheel into dist/
	@.venv/bin/python -m build --wheel --no-isolation --outdir dist

clean: ## Remove what make made (not ./fileroom-data)
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
