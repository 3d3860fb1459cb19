#!/usr/bin/env bash
# The interop suite: installs what it runs against into target/, runs it, and says what that was, in which versions.
#
# Usage: tests/interop/run.sh [NAME]...    only tests whose name holds one of these, such as tunnels
# Wants python3 with venv, openssl, jq, curl, chromium, bash, zsh and fish.
set -euo pipefail
cd "$(dirname "$0")/../.."

missing=""
for tool in python3 openssl jq curl bash zsh fish; do command -v "$tool" >/dev/null || missing="$missing $tool"; done
browser=$(command -v chromium || command -v google-chrome) || missing="$missing chromium"
if [ -n "$missing" ]; then
  echo "the interop suite wants$missing" >&2
  exit 1
fi

# What each of them says of its version.
installed=$(for part in cog peers tunnels; do "tests/interop/$part/install.sh"; done)
versions() {
  python3 --version
  echo "node $(target/peers/venv/bin/node --version)"
  openssl version | cut -d' ' -f1,2
  jq --version | tr - ' '
  curl --version | head -n 1 | cut -d' ' -f1,2
  "$browser" --version
  for shell in bash zsh fish; do "$shell" --version | head -n 1; done
  sed 's/^\(python\|coglet\): cog /cog, its \1 server, /; s/^\(pypi\|npm\)  *//' <<<"$installed"
}

names=("${@:-interop}")
suite() { cargo test --locked --test hookctl -- --ignored "$@"; }
if [ $# -eq 0 ]; then
  # By itself, as it builds the program once more, and others are timed.
  suite interop --skip interop::walk
  suite interop::walk
else
  suite "$@"
fi

printf '\nran %s against\n' "${names[*]}"
versions | sed 's/^/  /'
