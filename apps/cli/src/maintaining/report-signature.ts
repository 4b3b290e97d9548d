import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { EXIT, ExitError } from "@synap/service/exit-codes";

/** A signature of a report, and the key that verifies it. */
export interface SignedReport {
  /** Ed25519, 64 bytes. */
  readonly signature: Buffer;
  /** PEM (SPKI). */
  readonly publicKey: string;
}

/**
 * Signs the bytes of a report with the installation's key, which is made with the first report: an Ed25519 key (PEM, PKCS #8) that only its
 * owner may read.
 *
 * @throws ExitError when the file has no such key
 */
export function signReport(report: string, keyPath: string): SignedReport {
  const key = readKey(keyPath);
  const publicKey = createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
  return { signature: sign(undefined, Buffer.from(report), key), publicKey };
}

function readKey(path: string): KeyObject {
  if (!existsSync(path)) {
    const made = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
    writeFileSync(path, made, { mode: 0o600, flag: "wx", flush: true });
  }
  try {
    const key = createPrivateKey(readFileSync(path));
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch (cause) {
    throw new ExitError(EXIT.failed, `${path} has no key to sign reports with.`, { cause });
  }
  throw new ExitError(EXIT.failed, `${path} has no Ed25519 key.`);
}
