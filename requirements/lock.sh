#!/bin/sh
# Compiles every lock again from its .in file: hashes, no registry, for Python 3.11 on Linux x86_64. Airflow's are for
# 3.11 and later on any platform: MWAA runs some versions on 3.12, which not every machine has.
#
#   requirements/lock.sh            keeps what is locked, as far as the .in files allow
#   requirements/lock.sh --upgrade  takes the newest versions that they allow
set -eu
cd "$(dirname "$0")/.."
uv=$PWD/.venv/bin/uv
options="--quiet --python-version 3.11 --generate-hashes --no-emit-index-url"
linux="--python-platform x86_64-unknown-linux-gnu"

lock() { # lock FOLDER NAME [OPTION…]
    (
        cd "$1"
        name=$2
        shift 2
        echo "$name"
        # shellcheck disable=SC2086
        "$uv" pip compile $options --custom-compile-command "make lock" "$@" "$name.in" -o "$name.txt"
    )
}

# shellcheck disable=SC2086
{
    for name in uv desk postgres judges; do lock requirements "$name" $linux "$@"; done
    lock requirements exported-dags --no-deps $linux "$@"
    for line in 1.6 1.12 1.13 2.0; do lock requirements/images "openmetadata-$line" $linux "$@"; done
    lock runtime/images/meltano requirements $linux "$@"
    lock ingestion/meltano/requirements tap-nycflights $linux --override tap-nycflights.overrides "$@"
    for name in target-postgres build; do lock ingestion/meltano/requirements "$name" $linux "$@"; done
}
for name in 2.11.0 3.0.6; do lock requirements/airflow "$name" --universal --no-annotate "$@"; done
# The days on which all that MWAA's constraints name was there, and little that is newer.
lock requirements/airflow 2.10.3 --universal --no-annotate --exclude-newer 2024-11-05 "$@"
lock requirements/airflow 3.3.1 --universal --no-annotate --exclude-newer 2026-08-12 "$@"
