# Everything runs in .venv, which the first target that needs it creates.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test lint bench clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   the whole job on a generated task: preprocess, train, test, attack, figures"
	@echo "make test   the tests"
	@echo "make lint   ruff and mypy"
	@echo "make bench  every benchmark; writes docs/benchmarks.md and docs/growth.png"
	@echo "make clean  remove the virtual environment and what the demo made"

$(READY): requirements/torch.txt requirements/pinned.txt setup.py
	@echo "== creating $(VENV) (downloads about 400 MB the first time)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -r requirements/torch.txt
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --no-deps -r requirements/pinned.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

# Threads that wait give way: on a shared machine spinning ones eat the cores that they wait for.
demo: $(READY)
	OMP_WAIT_POLICY=passive $(BIN)/python tools/demo.py --out work_dirs/demo

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m benchmarks.run_all

clean:
	rm -rf $(VENV) work_dirs/demo
