"""A webhook handler as people write it with FastAPI, on a free port of this machine.

Usage: handler.py good|reserialising|careless SECRET
Prints its port once it accepts connections.

`good` is examples/fastapi. The others make the mistakes that are made most, with each::labs' own `verify_webhook`. Its
page names no header; this one is hookctl's.
"""

import json
import os
import pathlib
import socket
import sys

import uvicorn
from fastapi import FastAPI, HTTPException, Request

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(REPOSITORY / "tests/data"), str(REPOSITORY / "examples/fastapi")]
from eachlabs_verify_webhook import verify_webhook  # noqa: E402


def signed(body, request, secret):
    if not verify_webhook(body, request.headers.get("x-webhook-signature", ""), secret):
        raise HTTPException(401, "invalid signature")


def reserialising(app, secret):
    @app.post("/webhooks/prediction")
    async def handle_webhook(request: Request):
        # What is serialised again is not what was signed.
        signed(json.dumps(await request.json()).encode(), request, secret)
        return {"received": True}


def careless(app, secret):
    processed = []

    @app.post("/webhooks/prediction")
    async def handle_webhook(request: Request):
        body = await request.body()
        signed(body, request, secret)
        payload = json.loads(body)
        if payload["status"] not in ("success", "failed"):
            raise RuntimeError(f"unknown status {payload['status']}")
        processed.append(payload["id"])
        return {"processed": len(processed)}


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print(sockets[0].getsockname()[1], flush=True)


listening = socket.socket()
listening.bind(("127.0.0.1", 0))
if sys.argv[1] == "good":
    os.environ["WEBHOOK_SECRET"] = sys.argv[2]
    from app import app
else:
    app = FastAPI()
    {"reserialising": reserialising, "careless": careless}[sys.argv[1]](app, sys.argv[2])
Server(uvicorn.Config(app, log_level="critical")).run(sockets=[listening])
