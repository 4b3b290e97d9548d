import { isIP } from "node:net";

/** A range of addresses of one family. */
export interface AddressRange {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

// https://www.iana.org/assignments/iana-ipv4-special-registry
const NOT_PUBLIC_V4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.31.196.0/24",
  "192.52.193.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "192.175.48.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
].map(knownRange);

// Everything else is special: loopback, link-local, unique local, multicast, and the forms that carry an IPv4 address.
const GLOBAL_UNICAST_V6 = knownRange("2000::/3");

// https://www.iana.org/assignments/iana-ipv6-special-registry; 2001::/23 includes Teredo, and 2002::/16 is 6to4.
const NOT_PUBLIC_V6 = ["2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"].map(
  knownRange,
);

/** True for an address of the public internet; false for any other text. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  if (family === 4) return !NOT_PUBLIC_V4.some((each) => contains(each, address));
  return contains(GLOBAL_UNICAST_V6, address) && !NOT_PUBLIC_V6.some((each) => contains(each, address));
}

/** True if a range has an address. */
export function contains({ family, first, last }: AddressRange, address: string): boolean {
  if (isIP(address) !== family) return false;
  const value = numberOf(address);
  return value !== undefined && value >= first && value <= last;
}

/** Reads an address, or a range such as `10.1.0.0/16`; undefined for another text. */
export function readRange(text: string): AddressRange | undefined {
  const [address = "", bits, ...rest] = text.split("/");
  const family = isIP(address);
  const value = numberOf(address);
  if ((family !== 4 && family !== 6) || value === undefined || rest.length > 0) return undefined;
  const length = family === 4 ? 32 : 128;
  if (bits !== undefined && !/^\d{1,3}$/.test(bits)) return undefined;
  const free = length - Number(bits ?? length);
  if (free < 0) return undefined;
  const size = 1n << BigInt(free);
  const first = value - (value % size);
  return { family, first, last: first + size - 1n };
}

function knownRange(text: string): AddressRange {
  const range = readRange(text);
  if (range === undefined) throw new Error(`${text} is no range of addresses.`);
  return range;
}

/** The number of an address; undefined for one with a zone, such as `fe80::1%eth0`, which is of this machine's networks only. */
function numberOf(address: string): bigint | undefined {
  if (isIP(address) === 4) return join(address.split(".").map(Number), 8);
  if (isIP(address) !== 6 || address.includes("%")) return undefined;
  const [head = "", tail] = address.split("::");
  const before = groups(head);
  if (tail === undefined) return join(before, 16);
  const after = groups(tail);
  return join([...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after], 16);
}

/** The groups of a part of an IPv6 address. The last two may be written as an IPv4 address. */
function groups(part: string): number[] {
  if (part === "") return [];
  return part.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

function join(parts: readonly number[], bits: number): bigint {
  return parts.reduce((value, part) => (value << BigInt(bits)) | BigInt(part), 0n);
}
