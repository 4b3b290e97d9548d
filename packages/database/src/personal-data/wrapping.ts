import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { type KeyProvider, KeyProviderError } from "./key-provider.ts";
import { KEY_BYTES } from "./subject-cipher.ts";

/** A wrapping key with its name. */
export interface NamedKey {
  readonly name: string;
  readonly key: Buffer;
}

const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * A provider on wrapping keys that are in this process. The last one wraps; the others unwrap what they wrapped before.
 *
 * @param readKeys is called for each use, so that keys can be added while the process runs
 */
export function localKeys(name: string, readKeys: () => Promise<readonly NamedKey[]>): KeyProvider {
  return {
    name,
    async wrap(keys) {
      const newest = (await readKeys()).at(-1);
      if (newest === undefined) throw new KeyProviderError(name, "it has no key.");
      return keys.map(({ subject, key }) => wrapWith(newest, subject, key));
    },
    async unwrap(keys) {
      const named = await readKeys();
      return keys.map(({ subject, wrapped }) => {
        const [keyName, body] = wrapped.split(":");
        const found = named.find((each) => each.name === keyName);
        if (found === undefined || body === undefined)
          throw new KeyProviderError(name, `it has no key "${keyName?.slice(0, 64)}".`);
        return unwrapWith(found, { subject, body, provider: name });
      });
    },
  };
}

/** A provider on a key that ends with the process: for tests, on an engine in memory. */
export function passingKeys(): KeyProvider {
  const key = { name: "memory", key: randomBytes(KEY_BYTES) };
  return localKeys("this process", async () => [key]);
}

function wrapWith({ name, key }: NamedKey, subject: string, dataKey: Buffer): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce);
  cipher.setAAD(Buffer.from(subject));
  const body = Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
  return `${name}:${body.toString("base64url")}`;
}

function unwrapWith(
  { name, key }: NamedKey,
  { subject, body, provider }: { subject: string; body: string; provider: string },
): Buffer {
  const bytes = Buffer.from(body, "base64url");
  try {
    const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(subject));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    const reason = `its key "${name}" does not unwrap the key of a subject. Is it another file than before?`;
    throw new KeyProviderError(provider, reason, { cause });
  }
}
