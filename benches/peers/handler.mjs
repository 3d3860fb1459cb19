// A typical handler in `node:http`, fastify or express: `node handler.mjs NAME SECRET`. It verifies the raw body and
// responds; it records nothing.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const [name, secret] = process.argv.slice(2);

function isSigned(body, signature) {
  const wanted = createHmac("sha256", secret).update(body).digest();
  const proof = Buffer.from(signature ?? "", "hex");
  return proof.length === wanted.length && timingSafeEqual(proof, wanted);
}

const said = (port) => console.error(`listening ${port}`);

const handlers = {
  async http() {
    const server = createServer((request, response) => {
      const parts = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", () => {
        const verified = isSigned(Buffer.concat(parts), request.headers["x-webhook-signature"]);
        response.writeHead(verified ? 200 : 401, { "content-type": "application/json" });
        response.end(JSON.stringify({ received: verified }));
      });
    });
    server.listen(0, "127.0.0.1", () => said(server.address().port));
  },
  async fastify() {
    const { default: fastify } = await import("fastify");
    const app = fastify();
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer" }, (request, body, done) => done(null, body));
    app.post("/", async (request, reply) => {
      const verified = isSigned(request.body, request.headers["x-webhook-signature"]);
      reply.code(verified ? 200 : 401);
      return { received: verified };
    });
    await app.listen({ port: 0, host: "127.0.0.1" });
    said(app.server.address().port);
  },
  async express() {
    const { default: express } = await import("express");
    const app = express();
    app.post("/", express.raw({ type: "*/*" }), (request, response) => {
      const verified = isSigned(request.body, request.headers["x-webhook-signature"]);
      response.status(verified ? 200 : 401).json({ received: verified });
    });
    const server = app.listen(0, "127.0.0.1", () => said(server.address().port));
  },
};

await handlers[name]();
