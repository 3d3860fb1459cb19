"""A handler for each::labs webhooks in FastAPI: verifies the raw body, ignores duplicates, responds at once.

WEBHOOK_SECRET=s3cret uvicorn app:app --port 3000
"""

import hashlib
import hmac
import json
import os

from fastapi import BackgroundTasks, FastAPI, HTTPException, Request

SECRET = os.environ["WEBHOOK_SECRET"].encode()

app = FastAPI()
# With more than one instance of the app, use a database table with a unique key.
processed: set[str] = set()


def is_signed(body: bytes, signature: str) -> bool:
    expected = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.removeprefix("sha256=").encode())


def process(prediction: dict) -> None:
    """Slow work goes here; it runs after the response is sent."""


@app.post("/webhooks/prediction")
async def receive(request: Request, later: BackgroundTasks):
    # The signature covers the raw bytes: JSON that is parsed and serialised again can differ.
    body = await request.body()
    if not is_signed(body, request.headers.get("x-webhook-signature", "")):
        raise HTTPException(401, "invalid signature")
    try:
        prediction = json.loads(body)
        key = prediction["id"]
    except (ValueError, KeyError, TypeError):
        raise HTTPException(400, "not a JSON object with an id")
    # Providers deliver at least once. Unknown statuses are acknowledged too, because the provider would retry them.
    duplicate = key in processed
    if not duplicate:
        processed.add(key)
        later.add_task(process, prediction)
    return {"received": True, "duplicate": duplicate}
