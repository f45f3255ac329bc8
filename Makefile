# Two commands do all the set-up: `make demo` and `make test`.
# They need make and a Python of at least 3.11, and use uv to install if there is one.

PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?=
GPU_CHECK_ARGS ?=
# Which versions uv takes: `make test RESOLUTION=lowest-direct` for the oldest that are allowed.
RESOLUTION ?=

# Compiled modules are kept, also where the environment says otherwise: tests and benchmarks start
# hundreds of processes.
export PYTHONDONTWRITEBYTECODE :=

BIN := $(VENV)/bin
UV := $(shell uv --version >/dev/null 2>&1 && echo uv)
ifeq ($(UV),uv)
INSTALL := uv pip install --quiet $(if $(RESOLUTION),--resolution $(RESOLUTION)) --python $(VENV)
else
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

# A stamp is newer than pyproject.toml when what it stands for is installed.
INSTALLED := $(VENV)/.installed
INSTALLED_FOR_TESTS := $(VENV)/.installed-for-tests

# The demo: balanced classes, ten times the recipe's dose, a narrower box, fewer epochs; all else is
# what the recipe and the experiments say.
DEMO := runs/demo
DEMO_RECIPE := --samples 800 --set specimen.width_angstrom=40 --set instrument.dose_electrons=1e5 \
  --set classes.0.share=1 --set classes.1.share=1 --set classes.2.share=1 --set classes.3.share=1
DEMO_SINGLE := --set schedule.classifier.epochs=8
DEMO_FUSED := $(DEMO_SINGLE) --set schedule.regressor.epochs=8

.DEFAULT_GOAL := help
.PHONY: help demo test check gpu-check clean

help:
	@echo "make demo        simulate a dataset, train on it, and write $(DEMO)/report.html"
	@echo "make test        run the tests"
	@echo "make check       run the linters, the type checker, the import contracts, and build the docs"
	@echo "make gpu-check   on a machine with a GPU: whether it gives the CPU's numbers, and how fast"
	@echo "make clean       remove what these commands made, but for runs/"

demo: $(INSTALLED)
	$(BIN)/crystalvision simulate si3n4-four-classes -o $(DEMO)/data.zarr --overwrite $(DEMO_RECIPE)
	$(BIN)/crystalvision train single -d $(DEMO)/data.zarr -o $(DEMO)/single --overwrite $(DEMO_SINGLE)
	$(BIN)/crystalvision train quick -d $(DEMO)/data.zarr -o $(DEMO)/fused --overwrite $(DEMO_FUSED)
	$(BIN)/crystalvision evaluate $(DEMO)/single -d $(DEMO)/data.zarr --json > /dev/null & \
	$(BIN)/crystalvision evaluate $(DEMO)/fused -d $(DEMO)/data.zarr --json > /dev/null && wait $$!
	$(BIN)/crystalvision report $(DEMO)/fused $(DEMO)/single -o $(DEMO)/report.html

# One process a core, and in each one thread: faster than threads that wait for one another.
test: $(INSTALLED_FOR_TESTS)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses 8 --dist worksteal $(PYTEST_ARGS)

check: $(INSTALLED_FOR_TESTS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mkdocs build --strict --quiet

# Eight minutes; writes benchmarks/results/gpu.json and gpu.md.
gpu-check: $(INSTALLED)
	$(BIN)/python benchmarks/gpu_check.py $(GPU_CHECK_ARGS)

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $(PYTHON) is no Python of at least 3.11; name one: make PYTHON=python3.12" >&2; \
	  exit 2; }
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml | $(BIN)/python
	@echo "installing crystalvision into $(VENV) (minutes, the first time)"
	$(INSTALL) --editable .
	@touch $@

$(INSTALLED_FOR_TESTS): pyproject.toml | $(BIN)/python
	@echo "installing crystalvision and what its tests need into $(VENV) (minutes, the first time)"
	$(INSTALL) --editable '.[test,compare,docs]'
	@touch $@ $(INSTALLED)
