# The front door.  Each target does all of its own set-up; `make` alone lists them.

APP ?= examples/hello
PORT ?= 5000
BOARD ?= unix
HOST ?= localhost
# The board's serial port when there are several; settings to write into an image, or onto a board.
DEVICE ?=
CONFIG ?=
SETTINGS ?=
# Where an application goes when no board is named.
APP_BOARD := $(if $(filter unix,$(BOARD)),RPI_PICO,$(BOARD))
# What every recipe may be given: a MicroPython checkout to build from instead of Debian's source.
export MICROPYTHON

# A text as one word of the shell's, whatever is in it.
q = '$(subst ','\'',$(1))'

PYTHON := .venv/bin/python
TYPED := $(wildcard tools benchmarks)

.NOTPARALLEL:
.PHONY: help run build deploy monitor watch flash wifi rescue image romfs cert test check format lint types docs firmware dist bench clean check-format environment

help: ## list the targets
	@echo 'make TARGET [MICROPYTHON=path/to/checkout], with TARGET one of'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## serve APP=examples/hello with the unix firmware on PORT=5000
	@python3 -m tools run --app $(call q,$(APP)) --port $(call q,$(PORT))

build: ## make the files of APP=examples/hello as they lie on BOARD=RPI_PICO
	@python3 -m tools build $(call q,$(APP)) --board $(call q,$(APP_BOARD))

deploy: ## bring APP=examples/hello to the board, on PORT=/dev/ttyACM0 if there are several
	@python3 -m tools deploy $(call q,$(APP)) $(if $(filter file,$(origin PORT)),,--port $(call q,$(PORT)))

monitor: ## show what the board prints, with the tracebacks of APP (DEVICE=/dev/ttyACM0 names the board)
	@python3 -m tools monitor $(call q,$(APP)) $(if $(DEVICE),--port $(call q,$(DEVICE)))

watch: ## deploy APP whenever one of its files changes
	@python3 -m tools watch $(call q,$(APP)) $(if $(DEVICE),--port $(call q,$(DEVICE)))

flash: ## put the firmware of BOARD=RPI_PICO onto the board that is connected
	@python3 -m tools flash --board $(call q,$(APP_BOARD)) $(if $(DEVICE),--port $(call q,$(DEVICE)))

wifi: ## tell the board its wireless network, or what is in SETTINGS=settings.json
	@python3 -m tools wifi $(if $(DEVICE),--port $(call q,$(DEVICE))) $(if $(SETTINGS),--stdin < $(call q,$(SETTINGS)))

rescue: ## get a board back whose main.py lets nobody in
	@python3 -m tools rescue $(if $(DEVICE),--port $(call q,$(DEVICE)))

image: ## make one file of firmware and APP for BOARD=RPI_PICO (CONFIG=config.json puts settings in)
	@python3 -m tools image $(call q,$(APP)) --board $(call q,$(APP_BOARD)) $(if $(CONFIG),--config $(call q,$(CONFIG)))

romfs: ## put APP into the ROMFS partition of the board at DEVICE, BOARD=RPI_PICO
	@python3 -m tools romfs deploy $(call q,$(APP)) --board $(call q,$(APP_BOARD)) $(if $(DEVICE),--port $(call q,$(DEVICE)))

cert: ## make a TLS certificate in APP for HOST=localhost
	@python3 -m tools cert $(call q,$(APP)) --host $(call q,$(HOST))

test: environment ## run every test, on CPython and on the unix firmware
	@python3 -m tools firmware
	@$(PYTHON) tests/run_portable.py --micropython build/unix/micropython
	@$(PYTHON) -m pytest

check: check-format lint types test ## check format, lint and types, then run every test

format: environment ## format all Python files
	@$(PYTHON) -m ruff format

check-format: environment
	@$(PYTHON) -m ruff format --check

lint: environment ## look for mistakes in all Python files
	@$(PYTHON) -m ruff check

types: environment ## check the types of what runs on the host, and of what runs on boards
	@$(PYTHON) -m mypy $(TYPED)
	@python3 -m tools types

docs: environment ## make the guide and reference, build/docs/html/index.html
	@$(PYTHON) docs/build.py

firmware: ## build the firmware of BOARD=unix (docs/boards.md has the others)
	@python3 -m tools firmware --board $(call q,$(BOARD))

dist: ## make what users download: firmware, packages for mip, wheels, and a page
	@python3 -m tools dist

bench: environment ## measure speed and memory against peers and goals, into docs/benchmarks.md
	@python3 -m tools firmware
	-@python3 -m tools firmware --board unix32
	@python3 -m tools firmware --board RPI_PICO
	@$(PYTHON) -m benchmarks --document docs/benchmarks.md

clean: ## remove all that was built here (MicroPython's source stays in the cache)
	@python3 -m tools clean

environment:
	@python3 -m tools environment
