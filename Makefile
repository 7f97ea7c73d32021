# Each target sets up what it needs first (third_party/setup.sh), once.
#
# On a machine that is not Debian 12, or where nothing may be installed:
#   make MLIR_DIR=/path/to/lib/cmake/mlir LLVM_SOURCE=/path/to/llvm-project PYTHON=python3.11 test

PYTHON ?= python3
export PYTHON MLIR_DIR LLVM_SOURCE JOBS
export GOAL := $(MAKECMDGOALS)

setup := third_party/setup.sh
python := .venv/bin/python
pytest := $(python) -m pytest -n 2

.DEFAULT_GOAL := help
.PHONY: help demo test fast check-lit slow levels fuzz bench gpu-bundle test-gpu bench-gpu docs lint build \
  wheel prove-wheels clean distclean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: build ## Train a network on handwritten digits (examples/digits.py)
	$(python) examples/digits.py

test: check-lit ## All tests but the slow ones
	$(pytest) -m "not slow and not fuzz" tests

fast: check-lit ## The tests that take less than a minute
	$(pytest) -m "not slow and not fuzz and not thorough" tests/unit

check-lit: build ## The tests of the dialect and the passes, as MLIR text
	.venv/bin/lit -v tests/ir

slow: build ## The slow tests
	$(pytest) -m slow tests

# Those that hold values against references, however the code came about.
values := $(addprefix tests/test_,ops.py derivatives.py batching.py compositions.py \
  programs.py sharing.py oracle.py) tests/programs

levels: build ## Check values at every optimisation level, and with 1 and 7 threads
	@set -e; for level in 0 1 3; do echo "== level $$level"; \
	  WEFT_OPTIMIZATION_LEVEL=$$level $(pytest) -m "not slow and not fuzz" $(values); done
	@set -e; for threads in 1 7; do echo "== $$threads threads"; \
	  WEFT_NUM_THREADS=$$threads $(pytest) -m "not slow and not fuzz" $(values); done

fuzz: build ## Many random programs; every op with wrong operands and attributes
	$(pytest) -m fuzz tests

bench: build ## Run every benchmark
	@set -e; for benchmark in benchmarks/*.py; do \
	  echo "== $$benchmark"; $(python) "$$benchmark"; done

bundle := build/gpu-bundle

gpu-bundle: build ## Write what checks and times Weft's code on a machine with a GPU
	$(python) benchmarks/gpu/bundle.py $(bundle)

test-gpu: gpu-bundle ## Check every op and program on the GPU of this machine
	$(python) $(bundle)/run.py --check --budget 600

bench-gpu: gpu-bundle ## Time programs on the GPU of this machine, beside PyTorch
	$(python) $(bundle)/run.py --bench --budget 900

docs: build ## Generate what docs/ takes from the sources
	cp build/dialects/dialect.md docs/dialect.md
	$(python) tests/op_matrix.py > docs/op-matrix.md

lint: ## Format and check every file, as pre-commit does; this edits files
	@$(setup) packages python
	.venv/bin/pre-commit run --all-files

build: ## Build Weft in place
	@$(setup) packages python bindings build

wheel: ## Make the two wheels in dist/
	@$(setup) packages python bindings build wheel

prove-wheels: wheel ## Install the wheels in a bare Debian root and run the README's program
	third_party/prove-wheels.sh

clean: ## Remove Weft's build, keeping the environment and the bindings
	find build -mindepth 1 -maxdepth 1 ! -name third_party -exec rm -rf {} +
	rm -rf dist python/weft/_weft.*

distclean: clean ## Remove everything that was made
	rm -rf build .venv
