import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** What a file holds, in one short text. */
export interface FileFingerprint {
  /** SHA-256 of the whole content, in hex. */
  readonly whole: string;
  /** Bytes read. */
  readonly size: number;
  /** SHA-256 of the first `prefixSize` bytes, when the file has that many and the last of them ends a line. */
  readonly prefix?: string;
}

/**
 * Reads a file once and fingerprints it, together with the first `prefixSize` bytes of it: that tells a file that
 * has grown since an earlier import from one that was changed.
 */
export async function fingerprintFile(path: string, prefixSize?: number): Promise<FileFingerprint> {
  const hash = createHash("sha256");
  let size = 0;
  let prefix: string | undefined;
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    if (!Buffer.isBuffer(chunk)) continue;
    const cut = prefixSize === undefined ? -1 : prefixSize - size;
    if (cut > 0 && cut <= chunk.length) {
      hash.update(chunk.subarray(0, cut));
      if (chunk[cut - 1] === 0x0a) prefix = hash.copy().digest("hex");
      hash.update(chunk.subarray(cut));
    } else {
      hash.update(chunk);
    }
    size += chunk.length;
  }
  return { whole: hash.digest("hex"), size, ...(prefix === undefined ? {} : { prefix }) };
}
