# Quoted from the vendor's page: each::labs, "Webhooks", section "Webhook Secret Verification", as of March 6, 2026.
# Not our code: the tests ask it whether it believes what hookctl sends.
import hmac
import hashlib

def verify_webhook(payload_body: bytes, signature: str, secret: str) -> bool:
    expected = hmac.new(
        secret.encode(),
        payload_body,
        hashlib.sha256
    ).hexdigest()
    return hmac.compare_digest(expected, signature)
