import { randomUUID } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AsyncBuffer } from "hyparquet";

/** Gives the content to `use` as a file that can be read anywhere in it. It has no name while it is read, so a killed process leaves nothing. */
export async function* withTemporaryFile<Value>(
  content: AsyncIterable<Uint8Array>,
  use: (file: AsyncBuffer) => AsyncIterable<Value>,
): AsyncIterable<Value> {
  const path = join(tmpdir(), `synap-${randomUUID()}.tmp`);
  const file = await open(path, "wx+", 0o600);
  try {
    await rm(path);
    let byteLength = 0;
    for await (const bytes of content) {
      await file.writeFile(bytes);
      byteLength += bytes.length;
    }
    yield* use({ byteLength, slice: (start, end = byteLength) => readPart(file, start, end) });
  } finally {
    await file.close();
  }
}

async function readPart(file: FileHandle, start: number, end: number): Promise<ArrayBuffer> {
  const buffer = new ArrayBuffer(Math.max(0, end - start));
  const view = new Uint8Array(buffer);
  for (let at = 0; at < view.length; ) {
    const { bytesRead } = await file.read(view, at, view.length - at, start + at);
    if (bytesRead === 0) throw new RangeError("The file ends before what it should have.");
    at += bytesRead;
  }
  return buffer;
}
