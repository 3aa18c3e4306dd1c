#!/usr/bin/env bash
# Makes or refreshes .venv: `env.sh run` for what Fileroom runs on, `env.sh dev` for tests and checks as well.
# Every package is pinned by version and hash. A stamp of the inputs' digests makes the second call free.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/apt.sh

kind=${1:-run}
venv=$PWD/.venv

stamp_of() { # the digest of everything .venv is made from; the path is part, since a venv cannot be moved
    { echo "$venv"; cat "$@" pyproject.toml; } | sha256sum | cut -d' ' -f1
}
run_stamp=$(stamp_of requirements.txt)
dev_stamp=$(stamp_of requirements.txt requirements-dev.txt)

fresh() { [ -x "$venv/bin/fileroom" ] && [ "$(cat "$venv/.stamp-$1" 2>/dev/null)" = "$2" ]; }

if fresh dev "$dev_stamp"; then exit 0; fi
if [ "$kind" = run ] && fresh run "$run_stamp"; then exit 0; fi

find_python() {
    local name
    for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    echo "Fileroom needs Python 3.11 or newer (PYTHON=/path names one): apt-get install python3" >&2
    return 1
}

if ! "$venv/bin/python" -c '' 2>/dev/null || [ ! -x "$venv/bin/pip" ]; then
    python=$(find_python)
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        # Debian splits venv off: python3-venv is the default Python's, python3.13-venv a particular one's.
        "$python" -c 'import sys; sys.exit("/usr/bin" not in sys.base_prefix + "/bin")'
        apt_install "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
    echo "Making .venv with $("$python" --version)" >&2
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

rm -f "$venv"/.stamp-*
pip=("$venv/bin/python" -m pip --disable-pip-version-check -qq)
case $kind in
    run) "${pip[@]}" install --require-hashes --no-deps --only-binary :all: -r requirements.txt ;;
    dev) "${pip[@]}" install --require-hashes --no-deps --only-binary :all: -r requirements-dev.txt ;;
    *) echo "usage: env.sh run|dev" >&2; exit 2 ;;
esac
"${pip[@]}" install --no-deps --no-build-isolation --no-index -e .
if [ "$kind" = dev ]; then echo "$dev_stamp" >"$venv/.stamp-dev"; fi
echo "$run_stamp" >"$venv/.stamp-run"
