#!/usr/bin/env bash
# Installs what the tests and the benchmark talk to, where it is missing. Nothing is left running:
# the tests start servers of their own, on free ports, in folders of their own.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/apt.sh

missing=()
want() { # package, then the files any one of which shows that it is there
    local package=$1 file
    shift
    for file in "$@"; do
        if [ -e "$file" ]; then return; fi
    done
    missing+=("$package")
}

postgres() { compgen -G "/usr/lib/postgresql/*/bin/postgres" || true; }

want dcmtk /usr/bin/storescu
want postgresql $(postgres) /nonexistent
want orthanc /usr/sbin/Orthanc
want orthanc-dicomweb /usr/share/orthanc/plugins/libOrthancDicomWeb.so
want nginx-light /usr/sbin/nginx
want chromium /usr/bin/chromium
want strace /usr/bin/strace
want zip /usr/bin/zip

if [ ${#missing[@]} -gt 0 ]; then apt_install "${missing[@]}"; fi
