import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import canonicalize from "canonicalize";

/**
 * The key that server and app share. Calls to the app are signed with it; the app's calls carry its hash as bearer.
 *
 * Accepts the key with or without its prefix (`signkey-prod-…`); what follows must be an even number of hex digits.
 */
export class SigningKey {
  readonly #secret: string;
  readonly #hash: Buffer;

  /** @throws TypeError when the key isn't hex */
  constructor(key: string) {
    this.#secret = withoutPrefix(key);
    if (!/^([0-9a-f]{2})+$/i.test(this.#secret)) {
      throw new TypeError(
        "The signing key must be hex digits, with or without a prefix such as signkey-prod-",
      );
    }
    this.#hash = createHash("sha256").update(Buffer.from(this.#secret, "hex")).digest();
  }

  /**
   * The value of `x-inngest-signature` for a JSON body. The SDK checks it over the canonical form (RFC 8785) of the
   * body it parsed, so it is that form which is signed. An empty body is signed as the empty text.
   *
   * @param now milliseconds since 1970
   */
  sign(body: string, now: number): string {
    const canonical = body === "" ? "" : (canonicalize(JSON.parse(body)) ?? "");
    const seconds = Math.floor(now / 1000).toString();
    const signature = createHmac("sha256", this.#secret).update(canonical).update(seconds).digest("hex");
    return `t=${seconds}&s=${signature}`;
  }

  /** Whether an `Authorization` header carries this key's hash. */
  admits(authorization: string | undefined): boolean {
    const token = /^Bearer\s+(\S+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return false;
    const given = Buffer.from(withoutPrefix(token), "hex");
    return given.length === this.#hash.length && timingSafeEqual(given, this.#hash);
  }
}

function withoutPrefix(key: string): string {
  return key.replace(/^signkey-[a-z0-9]+-/i, "");
}
