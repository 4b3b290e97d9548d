import { createHmac } from "node:crypto";

/** The signing key of the brokers and workers of these tests... */
export const SIGNING_KEY = "5ca1ab1e".repeat(8);
/** ...and their event key. */
export const EVENT_KEY = "of-the-tests";

/** The text of RFC 8785 for plain values: what Inngest signs. */
export function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const entries = Object.entries(value).filter(([, held]) => held !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, held]) => `${JSON.stringify(key)}:${canonical(held)}`).join(",")}}`;
}

/** The headers of a call with this canonical body, as Inngest sends it. */
export function signed(body: string, { key = SIGNING_KEY, at = Date.now() } = {}): Record<string, string> {
  const seconds = Math.floor(at / 1_000).toString();
  const signature = createHmac("sha256", key).update(body).update(seconds).digest("hex");
  return { "content-type": "application/json", "x-inngest-signature": `t=${seconds}&s=${signature}` };
}
