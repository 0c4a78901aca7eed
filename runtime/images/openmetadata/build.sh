#!/bin/sh
# Makes what a slim image of OpenMetadata's ingestion holds. The Dockerfile runs it; where there is no Docker, the
# embedded mode runs the same file to make the same content in a folder.
#
#   CONTEXT     folder that holds project/requirements.txt, with a hash for each package
#   IMAGE_ROOT  folder to make: venv/ (the packages), project/ (the working directory)
#   PYTHON      the interpreter, Python 3.11                    (python3)
#   UV          a uv to install with, instead of pip
set -eu
: "${CONTEXT:?}" "${IMAGE_ROOT:?}"
PYTHON=${PYTHON:-python3}

mkdir -p "$IMAGE_ROOT"
if [ -n "${UV:-}" ]; then
    "$UV" venv --quiet --python "$PYTHON" "$IMAGE_ROOT/venv"
    "$UV" pip install --quiet --compile-bytecode --python "$IMAGE_ROOT/venv" --require-hashes \
        -r "$CONTEXT/project/requirements.txt"
else
    "$PYTHON" -m venv "$IMAGE_ROOT/venv"
    "$IMAGE_ROOT/venv/bin/pip" install --quiet --no-cache-dir --require-hashes -r "$CONTEXT/project/requirements.txt"
fi
cp -R "$CONTEXT/project" "$IMAGE_ROOT/project"
