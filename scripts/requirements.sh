#!/usr/bin/env bash
# Pins pyproject.toml's dependencies with hashes. `UPGRADE=1 make requirements` takes the newest that fit.
# Run it with the oldest Python that Fileroom supports, so that nothing older pythons need is left out.
set -euo pipefail
cd "$(dirname "$0")/.."

compile=(.venv/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header
    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options --build-deps-for editable)
if [ -n "${UPGRADE:-}" ]; then compile+=(--upgrade); fi

"${compile[@]}" --output-file requirements.txt pyproject.toml
"${compile[@]}" --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
