import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Text that its holder can neither read nor change. */
export interface SealedText {
  seal(text: string): string;
  /** Returns the text; undefined for what was not sealed here with the same secret. */
  open(sealed: string): string | undefined;
}

/**
 * Creates the seal for one purpose, by a key that is derived from a secret.
 *
 * @param purpose what was sealed for another purpose is not opened
 */
export function createSealedText(secret: string, purpose: string): SealedText {
  const key = Buffer.from(hkdfSync("sha256", secret, "", purpose, 32));
  return {
    seal(text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce);
      const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url");
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, "base64url");
      const start = NONCE_BYTES + TAG_BYTES;
      if (bytes.length < start) return undefined;
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, start));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(start)), decipher.final()]).toString("utf8");
      } catch {
        // The tag is another one.
        return undefined;
      }
    },
  };
}
