import { generateKeyPairSync, randomBytes, verify } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { WebhookSecretError } from "../src/sinks/webhook-errors.ts";
import { readWebhookKeys, signWebhook } from "../src/sinks/webhook-signature.ts";

const secret = () => `whsec_${randomBytes(32).toString("base64")}`;
const body = Buffer.from('{"type":"order.placed","data":{"städte":["Zürich"]}}');

/** The bytes of a private key, with or without its public key behind them. */
function ed25519() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
  const open = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const text = (...parts: readonly Buffer[]) => `whsk_${Buffer.concat(parts).toString("base64")}`;
  return { publicKey, secret: text(seed), long: text(seed, open) };
}

describe("the signature of a webhook", () => {
  it("is the one of Standard Webhooks, which its library verifies", () => {
    for (const length of [24, 25, 32, 63, 64]) {
      const own = `whsec_${randomBytes(length).toString("base64")}`;
      const headers = signWebhook(readWebhookKeys("partner", [own]), "event-1", body);
      expect(new Webhook(own).verify(body, { ...headers })).toEqual(JSON.parse(body.toString()));
    }
  });

  it("is the same as the library makes of the example of the specification", () => {
    const own = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const moment = new Date(1_674_087_231_000);
    const headers = signWebhook(readWebhookKeys("partner", [own]), "msg_1", body, moment.getTime());
    expect(headers).toEqual({
      "webhook-id": "msg_1",
      "webhook-timestamp": "1674087231",
      "webhook-signature": new Webhook(own).sign("msg_1", moment, body),
    });
  });

  it("does not hold for another body, id or secret", () => {
    const own = secret();
    const headers = signWebhook(readWebhookKeys("partner", [own]), "event-1", body);
    const verifier = new Webhook(own);
    expect(() => verifier.verify(Buffer.from("{}"), { ...headers })).toThrow();
    expect(() => verifier.verify(body, { ...headers, "webhook-id": "event-2" })).toThrow();
    expect(() => new Webhook(secret()).verify(body, { ...headers })).toThrow();
  });

  it("is made with every secret, so that receivers can change theirs one after the other", () => {
    const [old, next] = [secret(), secret()];
    const headers = signWebhook(readWebhookKeys("partner", [old, next]), "event-1", body);
    for (const each of [old, next])
      expect(() => new Webhook(each).verify(body, { ...headers })).not.toThrow();
  });

  it("is made with Ed25519 too, beside the other", () => {
    const own = secret();
    const { publicKey, secret: short, long } = ed25519();
    const headers = signWebhook(readWebhookKeys("partner", [own, short, long]), "event-1", body);
    expect(() => new Webhook(own).verify(body, { ...headers })).not.toThrow();
    const signatures = headers["webhook-signature"].split(" ");
    expect(signatures.map((each) => each.split(",")[0])).toEqual(["v1", "v1a", "v1a"]);
    const content = Buffer.concat([Buffer.from(`event-1.${headers["webhook-timestamp"]}.`), body]);
    for (const each of signatures.slice(1))
      expect(verify(null, content, publicKey, Buffer.from(each.slice("v1a,".length), "base64"))).toBe(true);
  });

  it("needs secrets of the right form and length, which an error does not show", () => {
    const bytes = (length: number) => Buffer.alloc(length, 0xab).toString("base64");
    const wrong = [
      "",
      bytes(32),
      `whsec_${bytes(23)}`,
      `whsec_${bytes(65)}`,
      `whsk_${bytes(33)}`,
      "whsec_????",
    ];
    for (const each of [...wrong, `whsec_${bytes(32)}\n`]) {
      const read = () => readWebhookKeys("partner", [secret(), each]);
      expect(read, each).toThrow(WebhookSecretError);
      expect(read, each).toThrow(
        /^Secret 2 of the webhook "partner" must be whsec_ with [^A-Z]+Base64, or whsk_/,
      );
    }
    expect(() => readWebhookKeys("partner", [])).toThrow(WebhookSecretError);
    expect(() => readWebhookKeys("partner", Array.from({ length: 5 }, secret))).toThrow(WebhookSecretError);
  });
});
