import { compress, decompress, init } from "@bokuweb/zstd-wasm";
import { ArchiveFileBrokenError } from "../archive-format.ts";

/** The level of zstd's own command line. Higher ones take several times as long for a few percent. */
const LEVEL = 3;
const MAGIC = 0xfd2fb528;
/** More than the longest row of events, far below the memory of the codec. */
const MOST_BYTES = 512 * 1024 * 1024;

let started: Promise<void> | undefined;

/** Loads the codec, once for each process. The other functions need it. */
export async function loadZstd(): Promise<void> {
  started ??= init();
  await started;
}

/** One frame of the bytes. Frames one after the other are a file that `zstd` reads. */
export function toFrame(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MOST_BYTES) throw new RangeError("A row is too long to be archived.");
  return compress(bytes, LEVEL);
}

/** The bytes of one frame. Throws `ArchiveFileBrokenError`. */
export function fromFrame(frame: Uint8Array): Uint8Array {
  try {
    return decompress(frame);
  } catch (cause) {
    throw new ArchiveFileBrokenError("a part of it can't be decompressed", { cause });
  }
}

/** Cuts a file into its frames: a stream has no marks of where one ends but those in its headers. Throws `ArchiveFileBrokenError`. */
export async function* framesOf(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let held: Uint8Array[] = [];
  let length = 0;
  let wanted = 18;
  for await (const bytes of content) {
    if (bytes.length === 0) continue;
    held.push(bytes);
    length += bytes.length;
    if (length < wanted) continue;
    let rest: Uint8Array = Buffer.concat(held);
    for (;;) {
      const end = endOfFrame(rest);
      if (!end.isWhole) {
        wanted = end.bytes;
        break;
      }
      yield rest.subarray(0, end.bytes);
      rest = rest.subarray(end.bytes);
    }
    held = [rest];
    length = rest.length;
  }
  let rest: Uint8Array = Buffer.concat(held);
  while (rest.length > 0) {
    const end = endOfFrame(rest);
    if (!end.isWhole) throw new ArchiveFileBrokenError("its end is missing");
    yield rest.subarray(0, end.bytes);
    rest = rest.subarray(end.bytes);
  }
}

/** The length of the frame that the bytes start with, or a number of bytes below which it can't be known. RFC 8878, section 3.1.1. */
function endOfFrame(bytes: Uint8Array): { readonly isWhole: boolean; readonly bytes: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 5) return { isWhole: false, bytes: 5 };
  if (view.getUint32(0, true) !== MAGIC) throw new ArchiveFileBrokenError("it isn't compressed with zstd");
  const descriptor = view.getUint8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeOfContentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const sizeOfDictionaryId = [0, 1, 2, 4][descriptor & 3] ?? 0;
  let at = 5 + (isSingleSegment ? 0 : 1) + sizeOfDictionaryId + sizeOfContentSize;
  if (bytes.length < at) return { isWhole: false, bytes: at };
  // A changed byte must not make the codec ask for more memory than there is.
  if (sizeOfContentSize >= 4 && view.getUint32(at - sizeOfContentSize, true) > MOST_BYTES) {
    throw new ArchiveFileBrokenError("it has a part of a size that can't be");
  }
  if (sizeOfContentSize === 8 && view.getUint32(at - 4, true) > 0) {
    throw new ArchiveFileBrokenError("it has a part of a size that can't be");
  }
  for (;;) {
    if (bytes.length < at + 3) return { isWhole: false, bytes: at + 3 };
    const header = view.getUint8(at) | (view.getUint8(at + 1) << 8) | (view.getUint8(at + 2) << 16);
    const type = (header >> 1) & 3;
    // A block of one repeated byte says how often, and has that byte.
    at += 3 + (type === 1 ? 1 : header >> 3);
    if (type === 3 || at > MOST_BYTES) throw new ArchiveFileBrokenError("it has a block that can't be");
    if ((header & 1) === 1) break;
  }
  if ((descriptor & 4) !== 0) at += 4;
  return { isWhole: bytes.length >= at, bytes: at };
}
