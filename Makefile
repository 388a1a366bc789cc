# `make run` and `make test` are all a newcomer needs; both do their own set-up.
PY := .venv/bin/python

.PHONY: run demo test bench call setup setup-test lint unit integration e2e format static help

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

run: setup ## set up and start everything on this machine; Ctrl-C ends it
	@exec $(PY) manage.py up

demo: setup ## the same on data of its own: a made-up year of a city's hotline, to see every page full
	@exec $(PY) manage.py demo

call: ## ring the running hotline with a recorded question; the citizen waits for the answer
	@$(PY) manage.py call tests/data/speech/10_jiehun.wav --seconds 90

test: ## set up and run every test
	@begin=$$(date +%s); $(MAKE) --no-print-directory setup-test || exit 1; ready=$$(date +%s); \
	$(MAKE) --no-print-directory lint unit integration e2e; status=$$?; end=$$(date +%s); \
	echo "set-up $$((ready - begin)) s, tests $$((end - ready)) s"; exit $$status

setup:
	@bash deploy/setup_python.sh requirements.txt
	@$(PY) manage.py prepare

setup-test:
	@bash deploy/setup_python.sh requirements/test.txt
	@$(PY) manage.py prepare --tests

lint: ## ruff, mypy, import-linter
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

unit: ## tests without a socket, in parallel
	@$(PY) -m pytest -q -n 2 --disable-socket --allow-unix-socket tests/unit tests/architecture

# Two workers, each with real parts of its own: most of these tests wait for a telephone to ring. A file stays whole, in the order of
# the folders, for the long files come first.
integration: ## tests on the real parts
	@$(PY) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder --durations=10 tests/contract tests/integration

e2e: ## the whole program with a browser and a telephone
	@$(PY) -m pytest -q --durations=10 tests/e2e

bench: ## every figure that the README claims
	@bash deploy/setup_python.sh requirements/bench.txt
	@bash deploy/install_sipp.sh >/dev/null
	@$(PY) -m bench

format: ## put the code into its form
	@.venv/bin/ruff check --fix -q .; .venv/bin/ruff format -q .
