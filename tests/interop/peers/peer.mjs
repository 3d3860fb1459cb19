// Answers for the signature libraries of npm, as peer.py does for those of PyPI.

import { createInterface } from "node:readline";

import { sign, verify } from "@octokit/webhooks-methods";
import "@shopify/shopify-api/adapters/node";
import { ApiVersion, LogSeverity, shopifyApi } from "@shopify/shopify-api";
import { createSHA256HMAC, HashFormat } from "@shopify/shopify-api/runtime";
import { validateWebhook } from "replicate";

const libraries = {
  octokit: {
    async verify(secret, headers, body) {
      const valid = await verify(secret, body, headers["x-hub-signature-256"]);
      return valid ? undefined : "verify says no";
    },
    async sign(secret, body) {
      return { "x-hub-signature-256": await sign(secret, body) };
    },
  },
  shopify: {
    async verify(secret, headers, body) {
      const shopify = shopifyApi({
        apiKey: "unused",
        apiSecretKey: secret,
        apiVersion: Object.values(ApiVersion)[0],
        hostName: "localhost",
        isEmbeddedApp: true,
        // It logs to standard output, where the answers go.
        logger: { level: LogSeverity.Error },
      });
      const { valid, reason } = await shopify.webhooks.validate({
        rawBody: body,
        rawRequest: { method: "POST", url: "/", headers },
      });
      return valid ? undefined : reason;
    },
    async sign(secret, body) {
      return { "x-shopify-hmac-sha256": await createSHA256HMAC(secret, body, HashFormat.Base64), ...SHOPIFY };
    },
  },
  // Only verifies; what Replicate sends is signed by any library of Standard Webhooks.
  replicate: {
    async verify(secret, headers, body) {
      const valid = await validateWebhook({ headers, body }, secret);
      return valid ? undefined : "validateWebhook says no";
    },
  },
};

// The library wants all of these, signed or not.
const SHOPIFY = {
  "x-shopify-topic": "orders/create",
  "x-shopify-shop-domain": "example.myshopify.com",
  "x-shopify-api-version": "2026-07",
  "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
};

async function answer({ op, library, secret, headers, body_base64 }) {
  const body = Buffer.from(body_base64, "base64").toString();
  if (op === "sign") return { headers: await libraries[library].sign(secret, body) };
  const work = libraries[library].verify;
  try {
    const why = await work(secret, headers, body);
    return why === undefined ? { ok: true } : { ok: false, why };
  } catch (error) {
    return { ok: false, why: `${error.name}: ${error.message}` };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
