# Every target sets up what it needs into .venv; `make help` lists them.
PYTHON ?= $(firstword $(foreach v,3.11 3.12 3.13,$(shell command -v python$(v))))
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
unexport PYTHONDONTWRITEBYTECODE  # where it is set, every server would compile the project anew at its start

.PHONY: help setup demo test test-long lint style types format bench bench-late bench-reports bench-cost describe fuzz chaos constraints package plan mistakes test-bundles
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(STAMP): requirements.txt requirements-cli.txt requirements-dev.txt constraints.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

setup: $(STAMP) ## create .venv with pinned packages and the sluice command

demo: $(STAMP) ## run the whole pipeline once on a local cloud and check every row
	$(BIN)/sluice demo

test: $(STAMP) ## run every test (starts and stops the servers it needs)
	$(BIN)/pytest -n 3 --dist loadfile

constraints: ## resolve requirements-dev.txt anew into constraints.txt; after a change of a requirements file
	$(PYTHON) -m venv --clear build/constraints
	build/constraints/bin/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	(sed -n '/^#/p' constraints.txt; build/constraints/bin/pip freeze) > build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -r build/constraints

package: $(STAMP) ## write one zip per function and manifest.json to build/package
	$(BIN)/python -m deploy.bundles

test-bundles: $(STAMP) ## run the whole pipeline with every function as its zip in a clean environment; writes docs/bundles.md
	$(BIN)/python -m deploy.trial --write-docs

test-long: $(STAMP) ## run every test in its long form (LONG_TESTS=1): more histories, more rows, the real sample's demo
	LONG_TESTS=1 $(BIN)/pytest -n 3 --dist loadfile --timeout 3600

SEED ?= 1

chaos: $(STAMP) ## break everything while rows flow; writes docs/reliability.md (SEED=1, 15 minutes)
	$(BIN)/python -m local.chaos --seed $(SEED) --write-docs

lint: style types ## format check, lint and types

style: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/sqlfluff lint sql/bigquery

types: $(STAMP)
	$(BIN)/mypy

format: $(STAMP) ## write Python and SQL in the style that lint asks for
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/sqlfluff fix sql/bigquery

describe: $(STAMP) ## write the generated docs anew: topics.asyncapi.yaml, data-dictionary.md, data-retention.md
	$(BIN)/python -m local.describe
	$(BIN)/python -m local.dictionary
	$(BIN)/python -m local.retention

fuzz: $(STAMP) ## give a million mutated inputs to every reader (FUZZ="--inputs 20000 --seed 7")
	$(BIN)/python -m tests.fuzz.run $(FUZZ)

PLAN := .venv-plan
PLAN_STAMP := $(PLAN)/.installed

$(PLAN_STAMP): requirements-plan.txt
	$(PYTHON) -m venv $(PLAN)
	$(PLAN)/bin/pip install --quiet --disable-pip-version-check -r requirements-plan.txt
	@touch $@

plan: $(STAMP) $(PLAN_STAMP) package ## validate, test and plan Terraform, and hold the plans against the policies (ENV=dev)
	$(BIN)/python -m deploy.make_plan $(if $(ENV),--environment $(ENV))

mistakes: $(STAMP) $(PLAN_STAMP) ## make mistakes in Terraform and in functions.yaml on purpose: what catches each
	$(BIN)/python -m tests.terraform.mistakes
	$(BIN)/python -m tests.terraform.one_line

BENCH := .venv-bench
BENCH_STAMP := $(BENCH)/.installed

$(BENCH_STAMP): requirements.txt requirements-bench.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

bench: $(STAMP) $(BENCH_STAMP) ## measure the pipeline beside a peer; writes build/bench.json
	$(BIN)/python -m benchmarks.run

bench-late: $(STAMP) ## two years of sales, then one row 18 months late: what it rebuilds, and the bytes
	$(BIN)/python -m benchmarks.late_row

bench-reports: $(STAMP) ## ask the standard reports by 50 clients at once over ten million transactions
	$(BIN)/python -m benchmarks.reports

bench-cost: $(STAMP) ## measure bytes and dollars of one feed beside the naive way; writes build/cost.json
	$(BIN)/python -m benchmarks.cost
