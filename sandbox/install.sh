#!/bin/sh
# Installs the pinned packages and the workspace's members (the arguments) into .venv of the current directory.
set -eu

find_python() {
    for name in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11 python; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "Quittance needs Python 3.11 or newer, and there is none on the PATH. PYTHON=/path/to/python make … names one." >&2
    exit 1
}

make_venv() {
    python=$(find_python)
    echo "making .venv with $($python --version)"
    rm -rf .venv
    "$python" -m venv .venv || {
        echo "$python cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2
        exit 1
    }
}

if ! .venv/bin/python -c '' 2>/dev/null; then make_venv; fi

say() { echo "$@"; }
if ! .venv/bin/python -m uv --version >/dev/null 2>&1; then
    say "installing uv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check 'uv==0.13.8'
fi
say "installing the pinned packages (about 300 MB the first time)"
# What is downloaded is shown; the list of what was installed, a line for each package, is not.
failed=$({
    {
        .venv/bin/python -m uv pip install --compile-bytecode --python .venv/bin/python \
            --require-hashes -r requirements.lock 2>&1 || echo yes >&3
    } | { grep -v '^ [-+~] ' >&2 || true; }
} 3>&1)
[ -z "$failed" ] || exit 1
for member in "$@"; do set -- "$@" -e "./$member"; shift; done
.venv/bin/python -m uv pip install --quiet --python .venv/bin/python --no-deps "$@"
