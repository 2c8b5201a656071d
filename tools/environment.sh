#!/bin/sh
# Makes .venv from requirements.txt and its lock, and again where they, this folder's place or the
# version of Python have changed: beside the old one, which stays until the new one is whole.
set -eu

wanted=$(pwd -P; cat requirements.txt requirements.lock pyproject.toml)

# Python may have gone since, or be another one in the same place, which looks for packages elsewhere.
ready() {
    [ "$(cat .venv/ready 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c "import pip" 2>/dev/null &&
        { [ -z "${PYTHON:-}" ] || [ "$("$PYTHON" --version 2>&1)" = "$(.venv/bin/python --version)" ]; }
}

leave_if_ready() {
    if ready; then
        [ -z "${PYTHON:-}" ] || echo ".venv has $(.venv/bin/python --version), as PYTHON has."
        exit 0
    fi
}

fail() {
    echo "$1" >&2
    exit 1
}

[ ! -L .venv ] || fail ".venv is a link to $(readlink .venv): remove it, then run make again."
leave_if_ready
[ -w . ] || fail "There is no .venv for these requirements, and $(pwd) cannot be written to."

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
[ -n "$python" ] || [ -z "${PYTHON:-}" ] ||
    fail "PYTHON is $PYTHON, expected Python 3.11, 3.12 or 3.13 with its venv module."
[ -n "$python" ] || fail "No Python 3.11, 3.12 or 3.13 with its venv module was found.
Install one (Debian: apt-get install python3-venv; macOS: brew install python@3.13)
or name it: make environment PYTHON=/path/to/python3"

# Nobody else makes .venv, and nobody builds or tests with it (tools/alone.py). Open in pip, too, so
# that it is held until the last of both has ended, however it ends.
exec 9>.venv.lock
"$python" - <<'PY'
import fcntl
import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)  # an end, and no traceback
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("Another make, a build or tests use .venv: waiting for them to end.", flush=True)
    fcntl.flock(9, fcntl.LOCK_EX)
PY
leave_if_ready

if [ ! -e .venv ] && [ -e .venv.old ]; then mv .venv.old .venv; fi # the exchange was cut short
rm -rf .venv.new .venv.old
log=$(mktemp)
child=
trap 'rm -rf .venv.new "$log"' EXIT
trap 'kill "$child" 2>/dev/null || true; wait; exit 1' HUP INT TERM

# In the background, since a shell heeds signals only when it waits.
attempt() {
    "$@" >"$log" 2>&1 &
    child=$!
    wait "$child"
}

install() {
    attempt "$python" -m venv --prompt .venv .venv.new &&
        attempt .venv.new/bin/python -m pip install --quiet --disable-pip-version-check \
            --requirement requirements.txt --constraint requirements.lock
}

echo "Creating .venv with $("$python" --version): a few minutes, once."
if ! install; then
    cause=$(sed -n '/ResolutionImpossible/d; s/^ERROR: *//p' "$log" | tail -n 1)
    [ -n "$cause" ] || cause=$(tail -n 1 "$log")
    if [ -e .venv ]; then kept="; .venv is unchanged"; else kept=; fi
    fail "Could not create the environment$kept: $cause"
fi
# Scripts name the folder that they were installed into.
.venv.new/bin/python - <<'PY'
from pathlib import Path

for file in [Path(".venv.new/pyvenv.cfg"), *Path(".venv.new/bin").iterdir()]:
    if file.is_file() and not file.is_symlink() and b"/.venv.new" in file.read_bytes():
        file.write_bytes(file.read_bytes().replace(b"/.venv.new", b"/.venv"))
PY
printf '%s\n' "$wanted" >.venv.new/ready
if [ -e .venv ]; then mv .venv .venv.old; fi
mv .venv.new .venv
rm -rf .venv.old
