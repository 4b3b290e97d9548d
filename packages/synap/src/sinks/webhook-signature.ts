import { createHmac, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { WebhookSecretError } from "./webhook-errors.ts";

/** A key that signs webhooks, as Standard Webhooks has them. */
export type WebhookKey =
  | { readonly kind: "hmac"; readonly secret: Buffer }
  | { readonly kind: "ed25519"; readonly privateKey: KeyObject };

/** The headers of Standard Webhooks. */
export interface WebhookHeaders {
  readonly "webhook-id": string;
  readonly "webhook-timestamp": string;
  readonly "webhook-signature": string;
}

/** Most secrets of one webhook: two for a rotation, of both kinds. */
const MAX_SECRETS = 4;

// The beginning of a PKCS #8 document of an Ed25519 key (RFC 8410); the 32 bytes of the key follow.
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * Reads the secrets of a webhook.
 *
 * @param secrets `whsec_` and 24 to 64 bytes in Base64 for HMAC-SHA256, `whsk_` and the 32 bytes of a private key for Ed25519; that
 * may be followed by its public key
 * @throws WebhookSecretError
 */
export function readWebhookKeys(sink: string, secrets: readonly string[]): readonly WebhookKey[] {
  if (secrets.length === 0 || secrets.length > MAX_SECRETS)
    throw new WebhookSecretError(
      `The webhook "${sink}" needs 1 to ${MAX_SECRETS} secrets, and has ${secrets.length}.`,
    );
  return secrets.map((secret, index) => {
    const key = readKey(secret);
    if (key !== undefined) return key;
    throw new WebhookSecretError(
      `Secret ${index + 1} of the webhook "${sink}" must be whsec_ with 24 to 64 bytes in Base64, or whsk_ with those of an Ed25519 key.`,
    );
  });
}

function readKey(secret: string): WebhookKey | undefined {
  const [, kind, text = ""] = /^(whsec|whsk)_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  const bytes = Buffer.from(text, "base64");
  // Buffer ignores what is no Base64.
  if (bytes.toString("base64").replace(/=+$/, "") !== text.replace(/=+$/, "")) return undefined;
  if (kind === "whsec" && bytes.length >= 24 && bytes.length <= 64) return { kind: "hmac", secret: bytes };
  if (kind !== "whsk" || (bytes.length !== 32 && bytes.length !== 64)) return undefined;
  const key = Buffer.concat([PKCS8_ED25519, bytes.subarray(0, 32)]);
  return { kind: "ed25519", privateKey: createPrivateKey({ key, format: "der", type: "pkcs8" }) };
}

/** Signs a body with every key, so that a receiver that knows one of them can verify it. */
export function signWebhook(
  keys: readonly WebhookKey[],
  id: string,
  body: Buffer,
  now: number = Date.now(),
): WebhookHeaders {
  const timestamp = String(Math.floor(now / 1_000));
  const content = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  const signatures = keys.map((key) =>
    key.kind === "hmac"
      ? `v1,${createHmac("sha256", key.secret).update(content).digest("base64")}`
      : `v1a,${sign(null, content, key.privateKey).toString("base64")}`,
  );
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}
