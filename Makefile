# Everything a developer or CI needs. `make` alone explains itself.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := help
# example-NAME is made by a pattern, which phony targets do not look for.
.PHONY: help run examples test test-quick lint fix bench bench-judge lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 34

$(BIN)/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; ok = (3, 11) <= v < (3, 14); \
	  sys.exit(0 if ok else f"Rollway needs Python 3.11 to 3.13, and $(PYTHON) is {v[0]}.{v[1]}; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.run: $(BIN)/uv requirements/run.txt pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/run.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(BIN)/uv requirements/dev.txt pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.run

run: $(VENV)/.run ## set up, then run the demo: a good release and two bad ones, with a live page
	$(BIN)/rollway demo $(ARGS)

examples: $(VENV)/.dev ## every method on real servers under real traffic, a good build and a bad one
	$(BIN)/python -m examples.live all --fast $(ARGS)

example-canary: ## a canary on Envoy, watched by Prometheus
example-blue-green: ## two environments behind HAProxy, switched at once
example-phased: ## three regions of shops behind nginx, one after the other
example-pilot: ## two shops first, judged by what clerks correct
example-parallel: ## a copy of each request through Envoy, prices compared
example-big-bang: ## everyone in one night, by scripts and a runbook
example-pilot-then-phased: ## two shops first, then region by region
example-blue-green-then-canary: ## a second environment, switched share by share
example-%: $(VENV)/.dev
	$(BIN)/python -m examples.live $* $(ARGS)

# Three at once on two cores: those that start servers wait more than they work.
test: $(VENV)/.dev ## set up, then run every test
	$(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

test-quick: $(VENV)/.dev ## the tests that take seconds
	$(BIN)/python -m pytest -n 2 -m "not slow and not browser and not postgres" $(ARGS)

lint: $(VENV)/.dev ## style, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/.dev ## format, and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## measure what the documents quote
	$(BIN)/python -m benchmarks

bench-judge: $(VENV)/.dev ## the judge beside the limit and beside other tools' rules (ARGS=--full for all)
	$(BIN)/python -m benchmarks.judge $(ARGS)

lock: $(BIN)/uv ## resolve the lock files anew (versions and hashes, no addresses)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --extra demo --group hatch pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --extra demo --extra solver --extra notify --group hatch --group dev pyproject.toml -c requirements/run.txt -o requirements/dev.txt
	echo 'uv==0.13.9' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url - -o requirements/uv.txt

clean: ## remove what was built, not what was made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache dist build
