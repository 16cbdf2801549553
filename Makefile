# `make help` lists the commands. Each is safe to run twice.
PYTHON ?= python3
LOCAL := $(PYTHON) -m local
VENV := .venv/bin
PYTEST_ARGS ?=
# Tests that wait for a cluster leave the cores to others: one process more than this machine's two cores.
PYTEST = $(VENV)/python -m pytest --dist loadgroup
BENCH_STATE := $(CURDIR)/.siteforge/bench
BENCH = SITEFORGE_STATE=$(BENCH_STATE) $(VENV)/python -m bench
PULUMI_VERSION = $(shell $(PYTHON) -c 'from local.toolchain.versions import PULUMI; print(PULUMI)')
LOCK = CUSTOM_COMPILE_COMMAND="make lock" $(VENV)/pip-compile --quiet --strip-extras --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

.DEFAULT_GOAL := help
.PHONY: help up image test test-fast test-faults soak render scan bench bench-page recording check format env status down clean lock schema

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## Set everything up, start the cluster, provision the tenants, wait until each site answers
	@$(LOCAL) up

image: ## Make the image of Siteforge itself and bring it into the running cluster (docs/reconciler.md)
	@$(LOCAL) image

test: ## Set everything up and run every test but those of test-faults
	@$(LOCAL) prepare
	@$(PYTEST) --numprocesses 3 -m "not faults" $(PYTEST_ARGS)

test-fast: ## Unit and component tests only: no cluster, no Pulumi engine
	@$(LOCAL) environment
	@$(PYTEST) --numprocesses auto tests/unit tests/components $(PYTEST_ARGS)

test-faults: ## Killed runs at many random moments, broken states, faults of the cluster: an hour and more
	@$(LOCAL) prepare
	@SITEFORGE_FAULT_SEEDS=$${SITEFORGE_FAULT_SEEDS:-30} $(VENV)/python -m pytest -s -m faults $(PYTEST_ARGS)

soak: ## Random faults against 20 tenants, written on all the while: SITEFORGE_SOAK_MINUTES=60, SITEFORGE_SOAK_SEED=7
	@$(LOCAL) prepare
	@SITEFORGE_SOAK_MINUTES=$${SITEFORGE_SOAK_MINUTES:-10} $(VENV)/python -m pytest -s \
		tests/e2e/test_a_fleet_survives_random_faults.py $(PYTEST_ARGS)

render: ## Write every object of the catalogue to build/manifests, secrets redacted; needs no cluster
	@$(LOCAL) render

scan: ## Render, and have checkov, kube-score, kubernetes-validate, Cyclonus and our own rules judge it
	@$(LOCAL) environment
	@$(PYTEST) --numprocesses auto tests/policy $(PYTEST_ARGS)

bench: ## Measure against other tools, on a simulated cluster of its own: BENCH_TENANTS="50 200", BENCH_PEERS="floor helm8"
	@$(LOCAL) environment
	@$(BENCH)

bench-page: ## Write docs/performance.md and its charts anew from docs/bench/results.json
	@$(LOCAL) environment
	@$(BENCH) page

recording: ## Record a terminal on the cluster that `make up` started: docs/recording.cast, docs/recording.svg
	@$(LOCAL) environment
	@$(VENV)/python -m local.recording

check: ## Lint, format check, types, import layers
	@$(LOCAL) environment
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy
	@$(VENV)/lint-imports

format: ## Format the code
	@$(VENV)/ruff format .
	@$(VENV)/ruff check --fix .

env: ## Print shell exports for plain pulumi and kubectl: eval "$(make -s env)"
	@$(LOCAL) env

status: ## Say what runs
	@$(LOCAL) status

down: ## Stop the cluster; tenants and their data stay, `make up` brings them back
	@$(LOCAL) stop

clean: ## Remove everything this clone made, the sites' data too
	@SITEFORGE_STATE=$(BENCH_STATE) $(LOCAL) clean
	@$(LOCAL) clean

lock: ## Renew the lock files from pyproject.toml, Pulumi at the toolchain's version
	@$(LOCK) --upgrade-package pulumi==$(PULUMI_VERSION) --output-file requirements.txt pyproject.toml
	@$(LOCK) --allow-unsafe --output-file requirements-scan.txt requirements-scan.in
	@$(LOCK) --allow-unsafe --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml

schema: ## Renew the catalogue's JSON Schema from the models
	@$(LOCAL) environment
	@$(VENV)/siteforge schema > .venv/schema.json
	@mv .venv/schema.json schema/tenants.schema.json
