// A handler for each::labs webhooks in Express: verifies the raw body, ignores duplicates, responds at once.
//
// WEBHOOK_SECRET=s3cret PORT=3000 node app.mjs

import { createHmac, timingSafeEqual } from "node:crypto";
import express from "express";

const secret = process.env.WEBHOOK_SECRET;
if (!secret) throw new Error("WEBHOOK_SECRET is not set");

const app = express();
// With more than one instance of the app, use a database table with a unique key.
const processed = new Set();

function isSigned(body, signature) {
  const expected = Buffer.from(createHmac("sha256", secret).update(body).digest("hex"));
  const given = Buffer.from(signature.replace(/^sha256=/, ""));
  return expected.length === given.length && timingSafeEqual(expected, given);
}

// Slow work goes here; it runs after the response is sent.
function handle(prediction) {}

// The signature covers the raw bytes, whatever their content type: JSON that is parsed and serialised again can differ.
app.post("/webhooks/prediction", express.raw({ type: () => true, limit: "10mb" }), (request, response) => {
  const body = request.body ?? Buffer.alloc(0);
  if (!isSigned(body, request.get("x-webhook-signature") ?? "")) {
    return response.status(401).json({ error: "invalid signature" });
  }
  let prediction;
  try {
    prediction = JSON.parse(body);
  } catch {
    return response.status(400).json({ error: "not JSON" });
  }
  const key = prediction?.id;
  if (typeof key !== "string") return response.status(400).json({ error: "not a JSON object with an id" });
  // Providers deliver at least once. Unknown statuses are acknowledged too, because the provider would retry them.
  const duplicate = processed.has(key);
  if (!duplicate) {
    processed.add(key);
    setImmediate(handle, prediction);
  }
  response.json({ received: true, duplicate });
});

app.listen(process.env.PORT ?? 3000, "127.0.0.1");
