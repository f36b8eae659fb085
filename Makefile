# imagerecords: `make` alone prints the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo train-demo test check format lint types tests fuzz fuzz-jpeg fuzz-jpeg-sanitized exits chromium torture readers stores prefect-oldest bench bench-s3 lock docs clean

help:  ## Print the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-19s %s\n", $$1, $$2}'

setup: $(VENV)/ready  ## Make .venv with everything for use and development

$(VENV)/ready: requirements-dev.lock pyproject.toml hatch_build.py $(wildcard tasks/images/*.[ch])
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "imagerecords needs Python 3.11 or newer, got " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25,<27"  # 23.2 takes sqlalchemy[asyncio] for another package than sqlalchemy
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

demo: setup  ## Build a real data set (handwritten digits) through Prefect, audit it, and say where to look
	$(BIN)/python docs/demo/make_digits.py demo/digits
	$(BIN)/imagerecords build --prefect --config docs/demo/digits.yaml --overwrite
	$(BIN)/imagerecords audit demo/records
	$(BIN)/imagerecords show demo/records/train-00000-of-00004 --save demo/digit.jpg
	@echo "Open demo/records/report.html, the data card; shards, labels.txt and manifest.parquet are beside it; demo/digit.jpg is the first record's image."

train-demo: setup  ## Build Fashion-MNIST (70,000 PNGs; apt-get fetches 31 MB) and train a small network on the shards: 88 % or it fails
	$(BIN)/python docs/demo/make_fashion.py demo/fashion
	$(BIN)/imagerecords build --no-prefect --config docs/demo/fashion.yaml --overwrite
	$(BIN)/python docs/demo/train_fashion.py demo/fashion_records

test: check  ## All that CI runs: format, lint, types, tests (the wheel in a bare environment among them)

check: format lint types tests  ## The same

format: setup
	$(BIN)/ruff format --check .

lint: setup
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

tests: setup chromium torture
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder --durations=40

fuzz: setup  ## Read 100,000 damaged files of every kind that people make or may damage, 50 times what the tests read; 7 minutes
	$(BIN)/python -W ignore -m tests.tasks.test_readers_fuzz 100000

fuzz-jpeg: setup  ## Compare the C extension with libjpeg over 1,000,000 damaged JPEGs, 200 times what the tests compare; 1 minute
	$(BIN)/python -W ignore -m tests.tasks.images.test_jpeg_scan 1000000

# gcc's; memory comes from malloc, so that each byte that is read or written outside of it is noticed.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

fuzz-jpeg-sanitized: setup  ## The same with the AddressSanitizer and the UndefinedBehaviorSanitizer; 5 minutes
	CFLAGS="$(SANITIZE)" LDFLAGS="$(SANITIZE)" PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0 \
		LD_PRELOAD="$$(gcc -print-file-name=libasan.so)" $(BIN)/python -W ignore -m tests.tasks.images.test_jpeg_scan 1000000

exits: setup  ## Run locate, diff and extract 500 times under load: none may end with another exit code than 0; 10 minutes
	$(BIN)/python -m tests.acceptance.exit_loop 500

torture: setup  ## Fetch Pillow's own broken and odd test images, which a test runs through; 60 MB into the cache
	$(BIN)/python tests/acceptance/torture_set.py

chromium:  ## Install Debian's Chromium, in which report.html is tested, and fuse3; where that can't be, their tests are skipped
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends chromium chromium-driver fonts-dejavu-core; \
	} || echo "chromium and chromium-driver can't be installed here (Debian and root needed): the tests in a browser are skipped"
	@command -v fusermount3 >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
			DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends fuse3 >/dev/null; \
	} || echo "fuse3 can't be installed here (Debian and root needed): the tests of odd mounts are skipped"

readers: setup  ## Add PyTorch and DALI (2 GB, more where pip takes PyTorch with CUDA) and test every reader of docs/readers.md
	$(BIN)/pip install --quiet --no-build-isolation --editable '.[readers]'
	$(BIN)/python -c 'import grain, mlcroissant, tfrecord, torch'  # else their tests would be skipped
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -rs -n 2 --dist loadscope tests/acceptance/readers

stores: setup  ## Add gcsfs, adlfs and emulators of Google's and Azure's stores (Azurite where npm is), and test with them
	$(BIN)/pip install --quiet --require-hashes -r requirements-stores.lock
	@if command -v npm >/dev/null; then npm install --silent --prefix $(VENV)/stores azurite@3; else echo "no npm: the test with Azurite is skipped"; fi
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -rs tests/acceptance/test_other_stores.py

OLDEST := $(VENV)/prefect-oldest

prefect-oldest: setup  ## Test the flow with the oldest Prefect that pyproject.toml allows, in an environment of its own; 10 minutes
	$(PYTHON) -m venv $(OLDEST)
	$(BIN)/uv pip install --quiet --python $(OLDEST) --require-hashes -r requirements-dev.lock
	$(BIN)/uv pip install --quiet --python $(OLDEST) --no-deps --no-build-isolation --editable .
	$(BIN)/uv pip install --quiet --python $(OLDEST) "$$(sed -n 's/^ *"prefect>=\([0-9.]*\),.*/prefect==\1/p' pyproject.toml)"
	$(OLDEST)/bin/prefect version
	PYTHONDONTWRITEBYTECODE= $(OLDEST)/bin/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder \
		tests/flows/test_build.py tests/flows/test_loading.py tests/flows/prefect_ui/test_api_url.py tests/acceptance/test_prefect.py \
		tests/acceptance/test_production_*.py

bench: setup  ## Measure speed, start-up and memory beside the classic script and peers; about 20 minutes
	$(BIN)/python -m benchmarks.bench

bench-s3: setup  ## Measure builds from S3 beside loops that only read, on a real S3 server; about 15 minutes
	$(BIN)/python -m benchmarks.bench_s3

lock: setup  ## Pin all dependencies again, from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --upgrade \
		pyproject.toml --output-file requirements.lock --custom-compile-command "make lock"
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		pyproject.toml --extra dev --constraint requirements.lock --output-file requirements-dev.lock --custom-compile-command "make lock"
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		pyproject.toml --extra stores --constraint requirements-dev.lock --output-file requirements-stores.lock --custom-compile-command "make lock"
	$(BIN)/python -c 'import tomllib; print(*(each for each in tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"] \
		if not each.startswith("tensorflow")), sep="\n")' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --constraint requirements.lock --custom-compile-command "make lock" \
		--output-file requirements-build.lock -

docs: setup  ## Write the generated parts of README.md and docs/settings.md
	$(BIN)/python docs/generate.py

clean:  ## Remove the environment and what the demo made
	rm -rf $(VENV) demo dist build
