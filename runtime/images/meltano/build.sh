#!/bin/sh
# Makes what the image of a Meltano project holds. The Dockerfile runs it; where there is no Docker, the embedded mode
# runs the same file to make the same content in a folder.
#
#   CONTEXT     folder that holds requirements.txt and project/ (the Meltano project)
#   IMAGE_ROOT  folder to make: venv/ (Meltano), project/ (the working directory), plugins/ (their environments)
#   PYTHON      the interpreter, Python 3.11                    (python3)
#   UV          a uv to install with, instead of pip
set -eu
: "${CONTEXT:?}" "${IMAGE_ROOT:?}"
PYTHON=${PYTHON:-python3}

mkdir -p "$IMAGE_ROOT/plugins"
if [ -n "${UV:-}" ]; then
    "$UV" venv --quiet --python "$PYTHON" "$IMAGE_ROOT/venv"
    "$UV" pip install --quiet --python "$IMAGE_ROOT/venv" --require-hashes -r "$CONTEXT/requirements.txt"
else
    "$PYTHON" -m venv "$IMAGE_ROOT/venv"
    "$IMAGE_ROOT/venv/bin/pip" install --quiet --no-cache-dir --require-hashes -r "$CONTEXT/requirements.txt"
fi

cp -R "$CONTEXT/project" "$IMAGE_ROOT/project"
cd "$IMAGE_ROOT/project"
# What an engineer's own runs have left behind is no part of the image.
rm -rf .meltano
export PATH="$IMAGE_ROOT/venv/bin:$PATH"
export MELTANO_SEND_ANONYMOUS_USAGE_STATS=false NO_COLOR=1
# Relocatable: below, the plugins' environments move out of the project.
export UV_VENV_RELOCATABLE=1 UV_COMPILE_BYTECODE=1
# Building must not need what only a run has: state lives in a bucket, settings in secrets.
unset MELTANO_STATE_BACKEND_URI MELTANO_ENVIRONMENT
meltano install

# The project folder stays small and can be copied: the environments are elsewhere, behind links.
for environment in .meltano/*/*/venv; do
    [ -d "$environment" ] || continue
    plugin=$(dirname "$environment")
    name=$(basename "$(dirname "$plugin")")-$(basename "$plugin")
    mv "$environment" "$IMAGE_ROOT/plugins/$name"
    ln -s "$IMAGE_ROOT/plugins/$name" "$environment"
done
