import { encodeTime, ulid } from "ulid";

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/**
 * Creates the internal ids of the events of one request. With a seed (`millis,base64 of 10 bytes`, the SDK's header) they
 * are the seed's bytes with the event's index added to the last four, so a repeated request gives the same ids.
 */
export function internalIds(seed: string | undefined): (index: number) => string {
  const [millis, entropy] = parseSeed(seed) ?? [];
  if (millis === undefined || entropy === undefined) return () => ulid();
  return (index) => {
    const bytes = Buffer.from(entropy);
    bytes.writeUInt32BE((bytes.readUInt32BE(6) + index + 1) >>> 0, 6);
    return encodeTime(millis, 10) + encodeBytes(bytes);
  };
}

function parseSeed(seed: string | undefined): [number, Buffer] | undefined {
  const [, millis, base64] = /^(\d{1,14}),([A-Za-z0-9+/=]+)$/.exec(seed ?? "") ?? [];
  if (millis === undefined || base64 === undefined) return undefined;
  const entropy = Buffer.from(base64, "base64");
  return entropy.length === 10 ? [Number(millis), entropy] : undefined;
}

/** 80 bits as 16 Crockford base 32 digits. */
function encodeBytes(bytes: Buffer): string {
  let bits = BigInt(`0x${bytes.toString("hex")}`);
  let text = "";
  for (let digit = 0; digit < 16; digit += 1) {
    text = (CROCKFORD[Number(bits & 31n)] ?? "0") + text;
    bits >>= 5n;
  }
  return text;
}
