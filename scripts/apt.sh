# Sourced by the other scripts: apt_install PACKAGE... as root or through sudo, or says exactly what to install.
# Services of the installed packages are not started: the tests start their own on free ports.

apt_install() {
    local sudo=()
    if ! command -v apt-get >/dev/null; then
        echo "Missing: $*. This system has no apt-get: please install their equivalents, then run make again." >&2
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null || ! { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
            echo "Missing: $*. Please run, as root:  apt-get install $*" >&2
            return 1
        fi
        sudo=(sudo)
    fi
    echo "Installing with apt: $*" >&2
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive bash -c '
        set -euo pipefail
        policy=/usr/sbin/policy-rc.d
        if [ ! -e "$policy" ]; then
            trap "rm -f $policy" EXIT
            printf "#!/bin/sh\nexit 101\n" >"$policy"
            chmod 755 "$policy"
        fi
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    ' apt "$@"
}
