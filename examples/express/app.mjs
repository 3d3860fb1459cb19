// A handler of each::labs' webhooks with Express: verified over the raw body, idempotent, quick to answer.
//
// WEBHOOK_SECRET=s3cret PORT=3000 node app.mjs

import { createHmac, timingSafeEqual } from "node:crypto";
import express from "express";

const secret = process.env.WEBHOOK_SECRET;
if (!secret) throw new Error("WEBHOOK_SECRET is not set");

const app = express();
// In an app that runs more than once, a table with a unique key.
const processed = new Set();

function isSigned(body, signature) {
  const expected = Buffer.from(createHmac("sha256", secret).update(body).digest("hex"));
  const given = Buffer.from(signature.replace(/^sha256=/, ""));
  return expected.length === given.length && timingSafeEqual(expected, given);
}

// What takes time, after the answer.
function handle(prediction) {}

// The bytes that were signed, whatever type they claim to be: JSON that is parsed and written again is not what was sent.
app.post("/webhooks/prediction", express.raw({ type: () => true, limit: "10mb" }), (request, response) => {
  const body = request.body ?? Buffer.alloc(0);
  if (!isSigned(body, request.get("x-webhook-signature") ?? "")) {
    return response.status(401).json({ error: "the signature does not hold" });
  }
  let prediction;
  try {
    prediction = JSON.parse(body);
  } catch {
    return response.status(400).json({ error: "not JSON" });
  }
  const key = prediction?.id;
  if (typeof key !== "string") return response.status(400).json({ error: "not a prediction" });
  // Providers deliver at least once. A status that is not known is acknowledged too, or it would come again and again.
  const duplicate = processed.has(key);
  if (!duplicate) {
    processed.add(key);
    setImmediate(handle, prediction);
  }
  response.json({ received: true, duplicate });
});

app.listen(process.env.PORT ?? 3000, "127.0.0.1");
