"""A typical handler in FastAPI, run by uvicorn: `handler.py SECRET`."""

import hashlib
import hmac
import socket
import sys

import uvicorn
from fastapi import FastAPI, Request, Response

app = FastAPI()
secret = sys.argv[1].encode()


@app.post("/")
async def receive(request: Request) -> Response:
    wanted = hmac.new(secret, await request.body(), hashlib.sha256).hexdigest()
    verified = hmac.compare_digest(wanted, request.headers.get("x-webhook-signature", ""))
    return Response('{"received":true}' if verified else "{}", 200 if verified else 401, media_type="application/json")


listener = socket.create_server(("127.0.0.1", 0))
print("listening", listener.getsockname()[1], file=sys.stderr, flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
