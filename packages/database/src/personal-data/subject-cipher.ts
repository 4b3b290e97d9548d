import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";
import type { JsonValue } from "@synap/types";

/** The keys that seal and open the values of one subject. */
export interface SubjectKey {
  readonly sealing: Buffer;
  readonly nonces: Buffer;
}

/** The place that a value belongs to. A sealed value opens at its own place only. */
export interface SealedPlace {
  readonly eventId: string;
  readonly type: string;
  /** JSON Pointer in the data. */
  readonly path: string;
  readonly subject: string;
}

const ALGORITHM = "aes-256-gcm";
/** Bytes of a data key, and of each key that is made of it. */
export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Makes the keys of a subject from its data key of 32 random bytes. */
export function subjectKey(dataKey: Buffer): SubjectKey {
  const made = (use: string) => Buffer.from(hkdfSync("sha256", dataKey, "", `synap ${use}`, KEY_BYTES));
  return { sealing: made("seal 1"), nonces: made("nonce 1") };
}

/**
 * Seals a value. The nonce is made of the value and its place, so that an event that is sent twice is sealed to the same bytes, by which
 * the store recognises it. Two places or two values never have the same bytes.
 */
export function sealValue(key: SubjectKey, place: SealedPlace, value: JsonValue): string {
  const plain = padded(Buffer.from(JSON.stringify(value)));
  const bound = boundTo(place);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bound.length);
  const nonce = createHmac("sha256", key.nonces)
    .update(length)
    .update(bound)
    .update(plain)
    .digest()
    .subarray(0, NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key.sealing, nonce);
  cipher.setAAD(bound);
  const body = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return `1.${body.toString("base64url")}`;
}

/** Opens a value; undefined if it was not sealed with this key at this place. */
export function openValue(
  key: SubjectKey,
  place: SealedPlace,
  sealed: string,
): { readonly value: JsonValue } | undefined {
  const body = Buffer.from(sealed.slice(2), "base64url");
  try {
    const decipher = createDecipheriv(ALGORITHM, key.sealing, body.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(boundTo(place));
    decipher.setAuthTag(body.subarray(-TAG_BYTES));
    const plain = Buffer.concat([decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    return { value: JSON.parse(unpadded(plain).toString()) };
  } catch {
    return undefined;
  }
}

function boundTo({ eventId, type, path, subject }: SealedPlace): Buffer {
  return Buffer.from(JSON.stringify(["synap sealed 1", eventId, type, path, subject]));
}

const SMALLEST = 32;
const STEP = 1_024;

/** The size that a text of so many bytes is padded to: a power of two from 32 to 1,024, then a multiple of 1,024. */
export function paddedSize(bytes: number): number {
  let size = SMALLEST;
  while (size < bytes + 1 && size < STEP) size *= 2;
  return size >= bytes + 1 ? size : Math.ceil((bytes + 1) / STEP) * STEP;
}

const MARK = 0x80;

function padded(plain: Buffer): Buffer {
  const whole = Buffer.alloc(paddedSize(plain.length));
  plain.copy(whole);
  whole[plain.length] = MARK;
  return whole;
}

function unpadded(whole: Buffer): Buffer {
  // UTF-8 has this byte inside a character only, and JSON does not end inside one.
  return whole.subarray(0, whole.lastIndexOf(MARK));
}
