#!/bin/sh
# Ask whether a known vulnerability touches a pinned dependency: sh tests/audit.sh (needs the network).
set -eu
cd "$(dirname "$0")/.."
venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet pip-audit==2.10.1
"$venv/bin/pip-audit" --requirement requirements.txt --progress-spinner off "$@"
