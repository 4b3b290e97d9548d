import { actorOf } from "@synap/types/http";
import type { Principal } from "../identity/principal.ts";
import { Problem } from "../problems/problem.ts";
import { createQuota, type Quota } from "./quota.ts";

const WINDOW_SECONDS = 60;
/** Largest number of principals that are counted at a time, about 10 MB. */
const MAX_PRINCIPALS = 100_000;

/** Limits of each principal, in this process. An absent one is not limited. */
export interface RateLimitConfiguration {
  /** Requests a minute (SYNAP_RATE_LIMIT_REQUESTS). */
  readonly requests?: number | undefined;
  /** Events that are sent in a minute, also those that are refused (SYNAP_RATE_LIMIT_EVENTS). A command counts as one. */
  readonly events?: number | undefined;
}

/** The limits of principals. */
export interface PrincipalLimits {
  /** Counts a request. @throws Problem `rate-limited` */
  countRequest(principal: Principal): void;
  /** Counts events that a request has sent. @throws Problem `rate-limited` */
  countEvents(principal: Principal, events: number): void;
  /** The headers `RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers has them. */
  headers(principal: Principal): readonly (readonly [name: string, value: string])[];
}

interface Policy {
  readonly name: "requests" | "events";
  readonly limit: number;
  readonly quota: Quota;
}

/** Creates the limits; undefined where there are none, so that nothing is counted. */
export function createPrincipalLimits(
  { requests, events }: RateLimitConfiguration,
  now: () => number = () => performance.now(),
): PrincipalLimits | undefined {
  const policy = (name: Policy["name"], limit: number | undefined): Policy | undefined =>
    limit === undefined
      ? undefined
      : {
          name,
          limit,
          quota: createQuota({
            quota: limit,
            windowMs: WINDOW_SECONDS * 1_000,
            maxKeys: MAX_PRINCIPALS,
            now,
          }),
        };
  const ofRequests = policy("requests", requests);
  const ofEvents = policy("events", events);
  const policies = [ofRequests, ofEvents].filter((each) => each !== undefined);
  if (policies.length === 0) return undefined;
  const described = policies
    // Requests are the unit if none is named.
    .map(
      ({ name, limit }) =>
        `"${name}";q=${limit}${name === "events" ? ';qu="events"' : ""};w=${WINDOW_SECONDS}`,
    )
    .join(", ");
  return {
    countRequest: (principal) => count(ofRequests, principal, 1),
    countEvents: (principal, sent) => count(ofEvents, principal, sent),
    headers: (principal) => {
      const key = actorOf(principal);
      const left = policies.map(({ name, quota }) => {
        const { remaining, fullInMs } = quota.state(key);
        return `"${name}";r=${remaining};t=${seconds(fullInMs)}`;
      });
      return [
        ["ratelimit-policy", described],
        ["ratelimit", left.join(", ")],
      ];
    },
  };
}

function count(policy: Policy | undefined, principal: Principal, amount: number): void {
  if (policy === undefined) return;
  const key = actorOf(principal);
  if (policy.quota.take(key, amount)) return;
  const { name, limit, quota } = policy;
  throw new Problem(
    "rate-limited",
    `${principal.kind} ${principal.id} may send ${limit} ${name} a minute here.`,
    {
      retryAfterSeconds: Math.max(1, seconds(quota.state(key).retryInMs)),
      members: { "violated-policies": [name] },
    },
  );
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1_000);
}
