import type { EventIssue } from "@synap/types";
import { actorOf, IDEMPOTENCY_KEY } from "@synap/types/http";
import { MAX_EVENT_FIELDS } from "@synap/types/internal";
import type { ApiContext } from "../api-dependencies.ts";
import type { Principal } from "../identity/principal.ts";
import { headerProblem } from "../problems/header-problem.ts";
import { derivedId } from "../representations/derived-id.ts";

/** Reads the header Idempotency-Key, without its quotes. @throws Problem `parameter-invalid` */
export function readIdempotencyKey(context: ApiContext): string | undefined {
  const header = context.req.header("idempotency-key");
  if (header === undefined) return undefined;
  const [, quoted, plain] = IDEMPOTENCY_KEY.exec(header.trim()) ?? [];
  const key = quoted?.replaceAll(/\\(.)/g, "$1") ?? plain;
  if (key !== undefined) return key;
  throw headerProblem("Idempotency-Key", "must be 1 to 255 printable ASCII characters, in quotes or without");
}

/** The key of an event by the header Idempotency-Key, or an id for one that has neither. */
export type GivenIdentity = { readonly idempotencyKey: string } | { readonly id: string };

/** An event with what the header says, or the issue of a header and a body that differ. */
type Identified =
  | { readonly event: object; readonly named?: (issue: EventIssue) => EventIssue }
  | { readonly issue: EventIssue };

/** Gives an event what the header says about it. */
export function withIdentity(sent: Readonly<Record<string, unknown>>, identity: GivenIdentity): Identified {
  // The check refuses it, and need not copy so many fields.
  if (Object.keys(sent).length > MAX_EVENT_FIELDS) return { event: sent };
  if ("id" in identity)
    return isIdentified(sent) ? { event: sent } : { event: { ...sent, ...identity }, named: namedByHeader };
  if (!Object.hasOwn(sent, "idempotencyKey")) return { event: { ...sent, ...identity } };
  if (sent["idempotencyKey"] === identity.idempotencyKey) return { event: sent };
  const reason = "differs from the header Idempotency-Key; send one of the two";
  return { issue: { path: "idempotencyKey", code: "not-allowed", reason } };
}

/** True for an event that its sender has given an id or an idempotency key. */
export function isIdentified(event: object): boolean {
  return Object.hasOwn(event, "id") || Object.hasOwn(event, "idempotencyKey");
}

/** The sender of an event whose id was made from the header knows the header only. */
function namedByHeader(issue: EventIssue): EventIssue {
  if (issue.code !== "event-id-conflict") return issue;
  return { path: "", code: "idempotency-key-reused", reason: REUSED };
}

const REUSED = "was sent before with other content under this Idempotency-Key";

/**
 * Makes the ids of the events of a request with a key, each from its place in the request: a batch that is sent again has the same ones.
 * They differ for each sender, and in each of the `places` to which a sender sends.
 */
export function idsUnderKey(
  sender: Principal,
  key: string,
  place: readonly string[],
): (index: number) => string {
  const scope = [actorOf(sender), key, ...place];
  return (index) => derivedId(JSON.stringify([...scope, index]));
}
