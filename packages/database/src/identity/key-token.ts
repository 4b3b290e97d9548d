import { createHash, randomBytes } from "node:crypto";

/** Prefix of every API key, by which scanners recognise one that has leaked. */
export const KEY_PREFIX = "synap_";

const ID_BYTES = 6;
const SECRET_BYTES = 32;
const FORM = /^synap_([0-9a-f]{12})_([0-9a-f]{64})$/;

/** An API key as its holder has it: `synap_<id>_<secret>`. */
export interface KeyToken {
  /** 12 hexadecimal digits: names the key in the database, in lists and in logs. */
  readonly id: string;
  /** 256 random bits as hexadecimal digits. */
  readonly secret: string;
}

/** Makes a new key at random. */
export function createKeyToken(): KeyToken {
  return {
    id: randomBytes(ID_BYTES).toString("hex"),
    secret: randomBytes(SECRET_BYTES).toString("hex"),
  };
}

/** Writes a key as text. */
export function writeKeyToken({ id, secret }: KeyToken): string {
  return `${KEY_PREFIX}${id}_${secret}`;
}

/** Reads a key from text; undefined when it has another form. */
export function readKeyToken(text: string): KeyToken | undefined {
  const [, id, secret] = FORM.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** Hashes a secret as the database stores it. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
