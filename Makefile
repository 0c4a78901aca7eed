# make setup   everything that the commands below need, from committed locks
# make run     the main job: the sample project, brought up on this machine and run; with AIRFLOW=2.11.0 on that Airflow
# make check   the fast gate: format, lint, types, import contracts, schema, unit tests
# make test    every test, the real run included; of faults and soak the short forms
# make mutants planted mistakes that the unit tests must catch, one at a time; MUTANTS=name for some of them
# make bench   every figure of the README, as JSON; takes an hour or more, most of it for DAG processing and waiting
# make faults  every row of the table in docs/execution.md, on real Airflow; make test plays some; ROWS=name,name for some
# make versions  the workflow types with the package of each OpenMetadata version that has a lock; make test has 1.12
# make soak    1,000 runs while AWS fails and workers die: none may be lost, doubled or left; RUNS=100 for fewer
# make lock    compile the locks again
# make tables  write the tables of Airflow's options and constraints again
# make golden  write the golden cases again

PYTHON ?= python3.11
JOB ?= flights
# An Airflow version, instead of the one that the project names.
AIRFLOW ?=
airflow_option = $(if $(AIRFLOW),--airflow $(AIRFLOW))
export UV_PYTHON_DOWNLOADS = never
# As pip does: behind the proxy of a company the certificate is one of its own.
export UV_SYSTEM_CERTS = 1
# Where a shell sets this, every start compiles everything again.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv/bin

RUNS ?= 1000
IMAGES ?=
MUTANTS ?=

.PHONY: setup desk environments run test check static unit mutants format lock tables golden schema bench faults versions soak clean

setup: desk environments

desk: .venv/.complete node_modules/.complete

.venv/.complete: requirements/uv.txt requirements/desk.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Penstock needs Python 3.11: install it, or name it: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@$(PYTHON) requirements/install.py desk

node_modules/.complete: package.json package-lock.json
	@command -v npm >/dev/null || { echo "Penstock needs Node 20 or later, with npm, for the CDK CLI" >&2; exit 2; }
	@$(PYTHON) requirements/install.py node

environments: desk
	$(VENV)/python -m penstock.local.setup $(airflow_option)

run: setup
	$(VENV)/penstock run $(JOB) --up $(airflow_option)

check: desk
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(MAKE) --no-print-directory -j 2 static unit

# The parts of check that take long; check runs them side by side.
static:
	$(VENV)/mypy
	$(VENV)/lint-imports
	$(VENV)/python -m penstock.project.json_schema --check schema/penstock.schema.json

# Some unit tests wait for a process to end: three workers keep two cores busy.
unit:
	$(VENV)/pytest -q -n 3 --dist worksteal tests/unit

# Most functional tests wait for servers, so two cores keep three workers busy. tests/conftest.py says what goes together.
test: setup check
	$(VENV)/pytest -n 3 --dist loadgroup --no-loadscope-reorder tests/functional tests/stacks tests/golden tests/dags

mutants: desk
	$(VENV)/python -m tests.mutants.run $(MUTANTS)

format: desk
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

schema: desk
	$(VENV)/python -m penstock.project.json_schema schema/penstock.schema.json

tables: desk
	@test -d "$(IMAGES)" || { echo "clone github.com/aws/amazon-mwaa-docker-images and name it: make tables IMAGES=<folder>" >&2; exit 2; }
	$(VENV)/python requirements/airflow_tables.py "$(IMAGES)"

golden: desk
	$(VENV)/python -m tests.golden.regenerate

bench: setup
	for figure in validate synth deploy dag_processing watching overhead run; do $(VENV)/python -m benchmarks.$$figure || exit; done

faults: desk
	PENSTOCK_FAULTS=$(or $(ROWS),all) $(VENV)/pytest -q tests/functional/test_faults_sync.py tests/functional/test_faults_deferrable.py

versions: desk
	PENSTOCK_VERSIONS=all $(VENV)/pytest -q tests/functional/test_workflow_types.py

soak: desk
	$(VENV)/python -m tests.functional.soak $(RUNS)

lock: desk
	sh requirements/lock.sh

clean:
	rm -rf .venv node_modules cdk.out build
