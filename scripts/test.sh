#!/usr/bin/env bash
# All tests of every tier. Those that only compute run beside those of the databases; those that kill processes, fill
# disks and look at clocks run alone. Arguments are pytest's; with a path among them it runs just that.
set -uo pipefail
cd "$(dirname "$0")/.."
run() { .venv/bin/python -m pytest "$@"; }

for argument in "$@"; do
    if [ -e "${argument%%::*}" ]; then run "$@"; exit; fi
done
computing=$(mktemp)
trap 'rm -f "$computing"' EXIT
run tests/unit tests/house "$@" >"$computing" 2>&1 &
run tests/contract "$@"
failed=$?
wait $! || failed=1
cat "$computing"
run tests/fault tests/peer "$@" || failed=1
exit "$failed"
