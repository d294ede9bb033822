# `make ask` and `make test` do all the set-up themselves, into .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL = $(BIN)/python -m pip install --quiet --constraint constraints.txt
Q ?= Which British firms attended?
export Q

.PHONY: ask chat test format index screenshot page-screenshots constraints bench clean

ask: .venv/.runtime  ## answer a question: make ask Q="…"
	@$(BIN)/python -m dispatch_qa ask -- "$$Q" || [ $$? -eq 1 ]

chat: .venv/.runtime  ## open the page at http://127.0.0.1:7860; OPTIONS="--port 8000" and the like
	@$(BIN)/python app.py $(OPTIONS)

test: .venv/.dev  ## everything that must hold: format, lint, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

format: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

index: .venv/.runtime  ## make the shipped index again
	$(BIN)/python -m dispatch_qa build

screenshot: .venv/.dev  ## draw the picture in the README again
	$(BIN)/python docs/make_screenshot.py

page-screenshots: .venv/.dev  ## take the pictures of the page again (needs Chromium)
	$(BIN)/python docs/make_page_screenshots.py

constraints: .venv/.dev  ## pin what is installed now, less local build tags
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+.*//' > constraints.txt

bench: .venv/.dev  ## measure everything, peers included, on a machine that does nothing else; DATA=… adds the frontier
	$(BIN)/python benchmarks/run.py
	$(if $(DATA),$(BIN)/python benchmarks/frontier.py --data "$(DATA)")
	$(BIN)/python benchmarks/report.py

clean:
	rm -rf .venv dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.runtime: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing what is needed into .venv (once, a minute or two) …" >&2
	@$(PIP_INSTALL) --editable . >&2
	@touch $@

.venv/.dev: .venv/.runtime
	@$(PIP_INSTALL) --editable '.[dev]' >&2
	@touch $@
