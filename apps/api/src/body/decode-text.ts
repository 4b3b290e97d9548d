import { Problem } from "../problems/problem.ts";

// One for all: making one costs more than reading a small body with it, and between two texts it keeps nothing.
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The text of a body. A byte order mark at its start is passed over; bytes that are not UTF-8 are refused rather
 * than replaced, because a replaced character is a changed event.
 *
 * @throws Problem `invalid-utf8`, saying where
 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    const position = firstInvalidByte(bytes);
    throw new Problem(
      "invalid-utf8",
      `The bytes from number ${position} on, counted from 0, are not UTF-8.`,
      { cause },
    );
  }
}

/** Found by halving: how many bytes from the start on are UTF-8, an unfinished character at their end aside. */
function firstInvalidByte(bytes: Uint8Array): number {
  let valid = 0;
  let invalid = bytes.byteLength;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    if (isStartOfText(bytes.subarray(0, middle))) valid = middle;
    else invalid = middle;
  }
  return valid;
}

function isStartOfText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
