"""A handler of each::labs' webhooks with FastAPI: verified over the raw body, idempotent, quick to answer.

WEBHOOK_SECRET=s3cret uvicorn app:app --port 3000
"""

import hashlib
import hmac
import json
import os

from fastapi import BackgroundTasks, FastAPI, HTTPException, Request

SECRET = os.environ["WEBHOOK_SECRET"].encode()

app = FastAPI()
# In an app that runs more than once, a table with a unique key.
processed: set[str] = set()


def is_signed(body: bytes, signature: str) -> bool:
    expected = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.removeprefix("sha256=").encode())


def process(prediction: dict) -> None:
    """What takes time, after the answer."""


@app.post("/webhooks/prediction")
async def receive(request: Request, later: BackgroundTasks):
    # The bytes that were signed: JSON that is parsed and written again is not what was sent.
    body = await request.body()
    if not is_signed(body, request.headers.get("x-webhook-signature", "")):
        raise HTTPException(401, "the signature does not hold")
    try:
        prediction = json.loads(body)
        key = prediction["id"]
    except (ValueError, KeyError, TypeError):
        raise HTTPException(400, "not a prediction")
    # Providers deliver at least once. A status that is not known is acknowledged too, or it would come again and again.
    duplicate = key in processed
    if not duplicate:
        processed.add(key)
        later.add_task(process, prediction)
    return {"received": True, "duplicate": duplicate}
