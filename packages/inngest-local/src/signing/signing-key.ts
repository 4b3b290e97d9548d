import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import canonicalizeModule from "canonicalize";

// The package is a CommonJS module with the declarations of an ES module.
const canonicalize = canonicalizeModule as unknown as (value: unknown) => string | undefined;

/** Maximum difference between the time of a signature and now, as in the SDK. */
const MAX_AGE_MS = 5 * 60_000;

/**
 * Key shared by broker and app. It signs calls to the app; the app's calls carry its hash as bearer token.
 *
 * Accepts the key with or without its prefix (`signkey-prod-…`); the rest must be an even number of hex digits.
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
   * Returns the value of `x-inngest-signature` for a JSON body. The SDK verifies it over the canonical form (RFC 8785) of
   * the parsed body, so that form is signed, by the same release of the same package because releases differ. An empty
   * body is signed as the empty text.
   *
   * @param now milliseconds since 1970
   */
  sign(body: string, now: number): string {
    const canonical = body === "" ? "" : (canonicalize(JSON.parse(body)) ?? "");
    const seconds = Math.floor(now / 1000).toString();
    const signature = createHmac("sha256", this.#secret).update(canonical).update(seconds).digest("hex");
    return `t=${seconds}&s=${signature}`;
  }

  /**
   * Verifies an `x-inngest-signature` header for this text, made at most five minutes before or after `now`.
   *
   * @param now milliseconds since 1970
   */
  verifies(header: string | undefined, text: string, now: number): boolean {
    const [, seconds = "", given = ""] = /^t=(\d{1,12})&s=([0-9a-f]{64})$/.exec(header ?? "") ?? [];
    if (given === "" || Math.abs(now - Number(seconds) * 1000) > MAX_AGE_MS) return false;
    const expected = createHmac("sha256", this.#secret).update(text).update(seconds).digest();
    return timingSafeEqual(Buffer.from(given, "hex"), expected);
  }

  /** Checks that an `Authorization: Basic` header has this key as its password; any user name is accepted. */
  isPasswordOf(authorization: string | undefined): boolean {
    const encoded = /^Basic\s+([A-Za-z0-9+/=]+)$/i.exec(authorization ?? "")?.[1];
    if (encoded === undefined) return false;
    const [, password = ""] = /^[^:]*:(.*)$/s.exec(Buffer.from(encoded, "base64").toString("utf8")) ?? [];
    const given = createHash("sha256")
      .update(Buffer.from(withoutPrefix(password.trim()), "hex"))
      .digest();
    return timingSafeEqual(given, this.#hash);
  }

  /** Checks that an `Authorization` header carries this key's hash. */
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
