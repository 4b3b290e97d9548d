import { type LookupAddress, lookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { type AddressRange, contains, isPublicAddress, readRange } from "./public-address.ts";
import { WebhookAddressError } from "./webhook-errors.ts";

/** The places that a webhook may be sent to. Default: public addresses, by HTTPS, at port 443. */
export interface WebhookNetwork {
  /** Host names, addresses and ranges of addresses (`10.1.0.0/16`) that are allowed although they are not public. */
  readonly allow?: readonly string[] | undefined;
  /** The allowed ports. Default: 443, and 80 if `http` is true. */
  readonly ports?: readonly number[] | undefined;
  /** True to allow HTTP without TLS. */
  readonly http?: boolean | undefined;
}

/** Finds the addresses of a name, as `lookup` of `node:dns` does with `all`. */
export type Resolver = (
  name: string,
  options: { readonly all: true },
  answer: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** The receiver of a webhook. */
export interface WebhookTarget {
  readonly url: URL;
  /**
   * Finds the addresses for a connection, and refuses the name if one of them is not allowed. The connection goes to one of these addresses:
   * the name is not asked for again in between.
   */
  readonly lookup: LookupFunction;
}

/**
 * Checks the URL of a webhook. The messages name its host only: path and query may be secret.
 *
 * @throws WebhookAddressError
 */
export function webhookTarget(
  sink: string,
  text: string,
  network: WebhookNetwork,
  resolve: Resolver = lookup,
): WebhookTarget {
  const { http = false, ports = http ? [443, 80] : [443] } = network;
  const refuse = (fault: string) => new WebhookAddressError(`The webhook "${sink}" ${fault}.`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw refuse("has a URL that can't be read");
  if (url.protocol !== "https:" && !(http && url.protocol === "http:"))
    throw refuse(`must have a URL of ${http ? "https or http" : "https"}`);
  if (url.username !== "" || url.password !== "") throw refuse("has a user or a password in its URL");
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  if (!ports.includes(port)) throw refuse(`must not use port ${port}: it is not in network.ports`);
  const isAllowed = allowedBy(network.allow ?? []);
  // The brackets of an IPv6 address are no part of it, and a dot at the end of a name changes nothing.
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  const check = (address: string) => {
    if (isPublicAddress(address) || isAllowed(host, address)) return;
    throw refuse(`must not be sent to ${host}: it has an address that is not public, nor in network.allow`);
  };
  // There is no lookup for an address.
  if (isIP(host) !== 0) check(host);
  return {
    url,
    lookup: (name, { all = false, family }, answer) => {
      resolve(name, { all: true }, (error, addresses) => {
        if (error !== null) return answer(error, []);
        const wanted = addresses.filter((each) => (family !== 4 && family !== 6) || each.family === family);
        const [first] = wanted;
        try {
          for (const { address } of addresses) check(address);
          if (first === undefined) throw refuse(`must not be sent to ${host}: it has no address`);
        } catch (refusal) {
          return answer(refusal instanceof Error ? refusal : new Error("refused", { cause: refusal }), []);
        }
        return all ? answer(null, wanted) : answer(null, first.address, first.family);
      });
    },
  };
}

/** @throws RangeError for a range that can't be read */
function allowedBy(allow: readonly string[]): (host: string, address: string) => boolean {
  const names = new Set<string>();
  const ranges: AddressRange[] = [];
  for (const entry of allow) {
    const range = readRange(entry);
    if (range !== undefined) ranges.push(range);
    else if (/^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/i.test(entry)) names.add(entry.toLowerCase());
    else
      throw new RangeError(
        `network.allow has "${entry}", which is no host name, address or range of addresses.`,
      );
  }
  return (host, address) => names.has(host) || ranges.some((range) => contains(range, address));
}
