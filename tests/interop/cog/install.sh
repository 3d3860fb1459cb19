#!/usr/bin/env bash
# Installs both Cog servers, each with everything it needs, into target/cog/python and target/cog/coglet. Only python3 with
# venv is needed. Does nothing when all of it is there.
set -euo pipefail
cd "$(dirname "$0")"
target=$(cd ../../.. && pwd)/target/cog

for flavor in python coglet; do
  venv=$target/$flavor
  # All that decides what is installed.
  wanted=$(python3 --version; echo "$venv"; cat install.sh "$flavor.txt")
  if [ "$(cat "$venv/installed" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$flavor.txt"
    printf '%s' "$wanted" >"$venv/installed"
  fi
  echo "$flavor: cog $("$venv/bin/python" -c 'from importlib.metadata import version; print(version("cog"))')"
done
