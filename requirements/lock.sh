#!/bin/sh
# Compiles every lock again from its .in file: hashes, no registry, for Python 3.11 on Linux x86_64.
#
#   requirements/lock.sh            keeps what is locked, as far as the .in files allow
#   requirements/lock.sh --upgrade  takes the newest versions that they allow
set -eu
cd "$(dirname "$0")/.."
uv=$PWD/.venv/bin/uv
options="--quiet --python-version 3.11 --python-platform x86_64-unknown-linux-gnu --generate-hashes --no-emit-index-url"

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

for name in uv desk postgres; do lock requirements "$name" "$@"; done
for name in 2.11.0 3.0.6; do lock requirements/airflow "$name" --no-annotate "$@"; done
lock requirements/images openmetadata-1.12 "$@"
lock runtime/images/meltano requirements "$@"
lock ingestion/meltano/requirements tap-nycflights --override tap-nycflights.overrides "$@"
for name in target-postgres build; do lock ingestion/meltano/requirements "$name" "$@"; done
