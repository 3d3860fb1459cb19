#!/usr/bin/env bash
# Installs tunnel clients that work without an account into target/tunnels: bore, with its server, and localtunnel, which
# runs on the Node of tests/interop/peers/install.sh. Does nothing when all of it is there. Names the versions.
set -euo pipefail
cd "$(dirname "$0")"
target=$(cd ../../.. && pwd)/target
tunnels=$target/tunnels
node=$target/peers/venv/bin

# Does nothing by itself when it is there.
cargo install --quiet --locked --version 0.6.0 bore-cli --root "$tunnels/bore" --target-dir "$tunnels/build"

wanted=$("$node/node" --version; echo "$tunnels"; cat install.sh package-lock.json)
if [ "$(cat "$tunnels/installed" 2>/dev/null)" != "$wanted" ]; then
  cp package.json package-lock.json "$tunnels"
  (cd "$tunnels" && PATH="$node:$PATH" npm ci --silent --no-audit --no-fund)
  printf '%s' "$wanted" >"$tunnels/installed"
fi

"$tunnels/bore/bin/bore" --version
echo "localtunnel $("$node/node" "$tunnels/node_modules/.bin/lt" --version)"
