#!/usr/bin/env bash
# Installs what the interop tests run against into target/peers: the official signature libraries, and the Node that
# runs those from npm, so that only python3 (3.11 or later) with venv is needed. Does nothing when all of it is there.
# Names the versions.
set -euo pipefail
cd "$(dirname "$0")"
peers=$(cd ../../.. && pwd)/target/peers

# All that decides what is installed.
wanted=$(python3 --version; echo "$peers"; cat install.sh requirements.txt package-lock.json)
if [ "$(cat "$peers/installed" 2>/dev/null)" != "$wanted" ]; then
  rm -rf "$peers"
  python3 -m venv "$peers/venv"
  # Every package is pinned, also those that the libraries need.
  "$peers/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement requirements.txt
  cp package.json package-lock.json "$peers"
  (cd "$peers" && PATH="$peers/venv/bin:$PATH" npm ci --silent --no-audit --no-fund)
  printf '%s' "$wanted" >"$peers/installed"
fi

"$peers/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

for name in ["standardwebhooks", "svix", "stripe", "slack_sdk", "elevenlabs", "openai", "PyNaCl", "fastapi", "uvicorn", "requests"]:
    print(f"pypi {name} {version(name)}")
PYTHON
(cd "$peers" && venv/bin/node) <<'JAVASCRIPT'
for (const name of Object.keys(require("./package.json").dependencies))
  console.log(`npm  ${name} ${require(`./node_modules/${name}/package.json`).version}`);
JAVASCRIPT
