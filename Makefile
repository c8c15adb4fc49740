PYTHON ?= python3
BIN := .venv/bin

.PHONY: install test torture mutants lint types docs bench clean

install: $(BIN)/eegvit

$(BIN)/eegvit: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e '.[test,dev]'
	touch $@

test: install
	$(BIN)/python -m pytest

torture: install
	OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m torture.run --seed 0

mutants: install
	OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m mutants.run --n 10

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: install
	$(BIN)/mypy

docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: install
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/run_all.py

clean:
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
