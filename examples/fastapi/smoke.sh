#!/usr/bin/env bash
# Starts the app, puts it through the drill, ends it. Wants hookctl and what requirements.txt names on the path.
set -euo pipefail
cd "$(dirname "$0")"
export WEBHOOK_SECRET=s3cret
to=${PORT:-3000}/webhooks/prediction

uvicorn app:app --port "${PORT:-3000}" --log-level warning &
trap 'kill $!' EXIT

# Again until the app is up.
hookctl send success --id smoke --secret env:WEBHOOK_SECRET --to "$to" --retry 1s,1s,2s,4s,8s --speed 1
hookctl send success --id smoke --secret env:WEBHOOK_SECRET --to "$to" --tamper body --expect-status 401
hookctl send --drill --secret env:WEBHOOK_SECRET --to "$to" --report junit=hookctl.xml
