#!/bin/sh
# Makes .venv from requirements.txt, and again where they or this folder's place have changed.
set -eu

ready=.venv/ready
wanted=$(pwd; cat requirements.txt pyproject.toml)
[ "$(cat "$ready" 2>/dev/null)" = "$wanted" ] && exit 0

suits() {
    command -v "$1" >/dev/null 2>&1 && "$1" - 2>/dev/null <<'PY'
import sys, ensurepip, venv
sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PY
}

python=
if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3 python3.13 python3.12 python3.11; fi
for name in "$@"; do
    if suits "$name"; then python=$name && break; fi
done
if [ -z "$python" ]; then
    echo "No Python 3.11, 3.12 or 3.13 with its venv module was found." >&2
    echo "Install one (Debian: apt-get install python3-venv; macOS: brew install python@3.13)" >&2
    echo "or name it: make PYTHON=/path/to/python3" >&2
    exit 1
fi

echo "Creating .venv with $("$python" --version): a few minutes, once."
rm -f "$ready"
"$python" -m venv --clear .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
printf '%s\n' "$wanted" >"$ready"
