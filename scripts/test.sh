#!/usr/bin/env bash
# All tests of every tier. Those that only compute run beside those of the databases; those that kill processes, fill
# disks and look at clocks run alone. Arguments are pytest's; with a path among them it runs just that.
set -uo pipefail
cd "$(dirname "$0")/.."

chosen=no
for argument in "$@"; do
    if [ -e "${argument%%::*}" ]; then exec .venv/bin/python -m pytest "$@"; fi
    case $argument in -k* | -m*) chosen=yes ;; esac
done
run() {
    .venv/bin/python -m pytest "$@"
    local code=$?
    if [ "$chosen $code" = "yes 5" ]; then code=0; fi # 5: none of these was chosen
    return "$code"
}

computing=(tests/unit tests/house tests/peer/{archive,dicom,dicomweb,dimse,media,support})
said=$(mktemp)
trap 'rm -f "$said"' EXIT
run "${computing[@]}" "$@" >"$said" 2>&1 &
run tests/contract "$@"
failed=$?
wait $! || failed=1
cat "$said"
run tests --ignore=tests/contract "${computing[@]/#/--ignore=}" "$@" || failed=1
exit "$failed"
