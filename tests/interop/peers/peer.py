"""Answers for the signature libraries of PyPI: a JSON request a line in, a JSON answer a line out.

{"op": "verify", "library": …, "secret": …, "headers": {…}, "body_base64": …} → {"ok": true} or {"ok": false, "why": …}
{"op": "sign", "library": …, "secret": …, "body_base64": …, "id": …, "timestamp": …} → {"headers": {…}}

The libraries do the work. Only where none is published, for Ed25519, the check is written here, with PyNaCl.
"""

import base64
import hashlib
import json
import sys
import time
import urllib.request
from datetime import datetime, timezone


class Refused(Exception):
    """For what says no in another way than by an exception."""


def verify_standardwebhooks(secret, headers, body):
    from standardwebhooks import Webhook

    # Not every body that is signed is JSON.
    Webhook(secret).verify(body, headers, json_parse=False)


def sign_standardwebhooks(secret, body, id, timestamp):
    from standardwebhooks import Webhook

    signature = Webhook(secret).sign(id, datetime.fromtimestamp(timestamp, timezone.utc), body.decode())
    return {"webhook-id": id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def verify_svix(secret, headers, body):
    from svix.webhooks import Webhook

    Webhook(secret).verify(body, headers)


def sign_svix(secret, body, id, timestamp):
    from svix.webhooks import Webhook

    signature = Webhook(secret).sign(id, datetime.fromtimestamp(timestamp, timezone.utc), body.decode())
    return {"svix-id": id, "svix-timestamp": str(timestamp), "svix-signature": signature}


def verify_openai(secret, headers, body):
    from openai import OpenAI

    OpenAI(api_key="unused").webhooks.verify_signature(body, headers, secret=secret)


def sign_openai(secret, body, id, timestamp):
    # The library only verifies. What it verifies is Standard Webhooks; a secret without whsec_ is the key itself.
    return sign_standardwebhooks(secret if secret.startswith("whsec_") else secret.encode(), body, id, timestamp)


def verify_stripe(secret, headers, body):
    import stripe

    # What `construct_event` does before it makes an event of the body.
    signature = headers.get("stripe-signature")
    stripe.WebhookSignature.verify_header(body, signature, secret, tolerance=stripe.Webhook.DEFAULT_TOLERANCE)


def sign_stripe(secret, body, id, timestamp):
    import stripe

    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=timestamp)
    return {"stripe-signature": header}


def verify_slack(secret, headers, body):
    from slack_sdk.signature import SignatureVerifier

    if not SignatureVerifier(secret).is_valid_request(body, headers):
        raise Refused("is_valid_request says no")


def sign_slack(secret, body, id, timestamp):
    from slack_sdk.signature import SignatureVerifier

    signature = SignatureVerifier(secret).generate_signature(timestamp=str(timestamp), body=body)
    return {"x-slack-request-timestamp": str(timestamp), "x-slack-signature": signature}


def verify_elevenlabs(secret, headers, body):
    from elevenlabs import ElevenLabs

    signature = headers.get("elevenlabs-signature")
    ElevenLabs(api_key="unused").webhooks.construct_event(body.decode(), signature, secret)


def sign_elevenlabs(secret, body, id, timestamp):
    # The library only verifies. What it verifies is Stripe's digest under another name.
    header = sign_stripe(secret, body, id, timestamp)["stripe-signature"]
    return {"elevenlabs-signature": header.replace(",v1=", ",v0=")}


def verify_fal(secret, headers, body):
    """As fal's page on webhooks has it; `secret` is the URL of the JWK set."""
    from nacl.signing import VerifyKey

    timestamp = headers["x-fal-webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > 300:
        raise Refused("the time stamp is off")
    message = fal_message(headers["x-fal-webhook-request-id"], headers["x-fal-webhook-user-id"], timestamp, body)
    signature = headers["x-fal-webhook-signature"]
    with urllib.request.urlopen(secret, timeout=10) as response:
        keys = json.load(response)["keys"]
    keys = [VerifyKey(base64.urlsafe_b64decode(key["x"] + "==")) for key in keys]
    if not any(holds(key, message, signature, bytes.fromhex) for key in keys):
        raise Refused("no key fits")


def sign_fal(secret, body, id, timestamp):
    message = fal_message(id, "user", str(timestamp), body)
    return {
        "x-fal-webhook-request-id": id,
        "x-fal-webhook-user-id": "user",
        "x-fal-webhook-timestamp": str(timestamp),
        "x-fal-webhook-signature": signing_key(secret).sign(message).signature.hex(),
    }


def fal_message(id, user, timestamp, body):
    return "\n".join([id, user, timestamp, hashlib.sha256(body).hexdigest()]).encode()


def verify_v1a(secret, headers, body):
    """Standard Webhooks, "Asymmetric": Ed25519 of the same content; `secret` is the public key."""
    from nacl.signing import VerifyKey

    timestamp = headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > 300:
        raise Refused("the time stamp is off")
    message = f"{headers['webhook-id']}.{timestamp}.".encode() + body
    key = VerifyKey(base64.b64decode(secret.removeprefix("whpk_")))
    listed = [item.partition(",") for item in headers["webhook-signature"].split(" ")]
    if not any(holds(key, message, text, strict_base64) for version, _, text in listed if version == "v1a"):
        raise Refused("no signature fits")


def sign_v1a(secret, body, id, timestamp):
    message = f"{id}.{timestamp}.".encode() + body
    signature = base64.b64encode(signing_key(secret).sign(message).signature).decode()
    return {"webhook-id": id, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1a,{signature}"}


def holds(key, message, signature, decode):
    from nacl.exceptions import BadSignatureError

    try:
        key.verify(message, decode(signature))
        return True
    except (BadSignatureError, ValueError):  # Forged, or not even a signature.
        return False


def strict_base64(text):
    return base64.b64decode(text, validate=True)


def signing_key(secret):
    from nacl.signing import SigningKey

    return SigningKey(base64.b64decode(secret.removeprefix("whsk_"))[:32])


def answer(request):
    body = base64.b64decode(request["body_base64"])
    work = globals()[request["op"] + "_" + request["library"]]
    if request["op"] == "sign":
        return {"headers": work(request["secret"], body, request["id"], request["timestamp"])}
    try:
        work(request["secret"], request["headers"], body)
        return {"ok": True}
    except Exception as error:  # Libraries refuse what is malformed with whatever their parsing raises.
        return {"ok": False, "why": f"{type(error).__name__}: {error}"}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
