# Everything runs in .venv, which the first target that needs it creates.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EXTRAS := $(VENV)/.extras
DOCS := $(VENV)/docs
PIP := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off

.PHONY: help demo test check lint docs bench bench-peers clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   the whole job on a generated task: preprocess, train, test, attack, figures"
	@echo "make test   the tests, a few minutes"
	@echo "make check  longer tests: the wheel in an empty environment, pages in a browser, the commands of the documentation"
	@echo "make lint   ruff and mypy"
	@echo "make docs   the documentation as a site, in build/site; warnings are errors"
	@echo "make bench  every benchmark; writes docs/benchmarks.md and docs/growth.png"
	@echo "make bench-peers  ours beside nnU-Net, MONAI, torchattacks, foolbox; writes docs/peers.md; needs DATA, TASK, FOLDER"
	@echo "make clean  remove the virtual environment and what the demo made"

$(READY): requirements/torch.txt requirements/pinned.txt setup.py
	@echo "== creating $(VENV) (downloads about 400 MB the first time)"
	$(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements/torch.txt
	$(PIP) --no-deps -r requirements/pinned.txt
	$(PIP) --quiet --no-deps --no-build-isolation -e .
	@touch $@

# What the tests of other people's systems, of exported networks and of pages need; the rest works without.
$(EXTRAS): $(READY) requirements/extras.txt
	$(PIP) --no-deps -r requirements/extras.txt
	@touch $@

# Threads that wait give way: on a shared machine spinning ones eat the cores that they wait for.
demo: $(READY)
	OMP_WAIT_POLICY=passive $(BIN)/python tools/demo.py --out work_dirs/demo

test: $(EXTRAS)
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -n 2

check: $(EXTRAS)
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -m check -n 2 --dist loadfile

lint: $(EXTRAS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Its packages have an environment of their own: nothing of rogseg is imported to read its docstrings.
$(DOCS)/.ready: requirements/docs.txt
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install --disable-pip-version-check --progress-bar off --no-deps -r requirements/docs.txt
	@touch $@

docs: $(DOCS)/.ready
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict --quiet

bench: $(READY)
	$(BIN)/python -m benchmarks.run_all

# DATA and TASK are hippocampus, raw and stored; FOLDER a trained nnU-Net of it, which may be left out.
bench-peers: $(EXTRAS)
	$(PIP) --no-deps -r requirements/peers.txt
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.peers.run_all --data "$(DATA)" --task "$(TASK)" $(if $(FOLDER),--folder "$(FOLDER)") $(if $(CHECKPOINT),--checkpoint $(CHECKPOINT))

clean:
	rm -rf $(VENV) work_dirs/demo
