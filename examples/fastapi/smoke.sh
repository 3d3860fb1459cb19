#!/usr/bin/env bash
# Starts the app, runs the drill against it, and stops it.
# Needs hookctl on the PATH, and the packages of requirements.txt.
set -euo pipefail
cd "$(dirname "$0")"
export WEBHOOK_SECRET=s3cret
to=${PORT:-3000}/webhooks/prediction

uvicorn app:app --port "${PORT:-3000}" --log-level warning &
trap 'kill $!' EXIT

# Retries until the app is up.
hookctl send success --id smoke --secret env:WEBHOOK_SECRET --to "$to" --retry 1s,1s,2s,4s,8s --speed 1
hookctl send success --id smoke --secret env:WEBHOOK_SECRET --to "$to" --tamper body --expect-status 401
hookctl send --drill --secret env:WEBHOOK_SECRET --to "$to" --report junit=hookctl.xml
