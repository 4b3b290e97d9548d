import { defineSink, type Sink, type SinkOptions } from "@synap/handlers";
import { DEFAULT_CALL_MS, namesOf } from "@synap/handlers/internal";
import type { EventTypeDefinition } from "@synap/types";
import { checkWelcome, deliver, type WebhookAttempt, webhookMemory } from "./webhook-delivery.ts";
import { openWebhook } from "./webhook-request.ts";
import { readWebhookKeys } from "./webhook-signature.ts";
import { type Resolver, type WebhookNetwork, webhookTarget } from "./webhook-target.ts";

/** The definition of a webhook: one receiver. */
export interface WebhookSinkDefinition<
  Events extends readonly EventTypeDefinition[] | "all",
  Name extends string,
> extends SinkOptions<Name> {
  readonly events: Events;
  /** The address of the receiver, or a function that gives it when the sink is opened. */
  readonly url: string | (() => string);
  /**
   * The secrets, each of which signs: one, or during a rotation the old and the new one. `whsec_` and 24 to 64 bytes in Base64 for
   * HMAC-SHA256; `whsk_` and the 32 bytes of a private key for Ed25519. Take them from environment variables.
   */
  readonly secrets: () => readonly string[];
  /** The receiver gets the events behind this position only. Default 0: all of them. */
  readonly after?: number | undefined;
  /** Maximum number of requests at a time, each of another stream, 1 to 32. Default 4. With 1 all events are in the order of the log. */
  readonly concurrency?: number | undefined;
  /** Maximum duration of a request up to the status of its answer, in milliseconds, up to half of `timeoutMs`. Default 10,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** The places that it may be sent to. Default: public addresses, by HTTPS, at port 443. */
  readonly network?: WebhookNetwork | undefined;
  /** Receives every attempt, for a log. What it throws is ignored. */
  readonly onAttempt?: ((attempt: WebhookAttempt) => void) | undefined;
}

/** Longest time for a connection, in milliseconds. */
const CONNECT_MS = 5_000;

/**
 * Defines a webhook: each event is sent to a receiver as a signed HTTP request, by the rules of Standard Webhooks. It arrives at least once, and has the
 * id of the event each time.
 *
 * @throws RangeError for numbers out of bounds, and as `defineSink`. The URL and the secrets are checked when the sink is opened.
 * @example
 * export const partner = webhookSink({
 *   name: "partner",
 *   description: "Sends orders to the partner.",
 *   events: [orderPlaced],
 *   url: "https://partner.example/synap",
 *   secrets: () => [process.env.PARTNER_SECRET ?? ""],
 * });
 */
export function webhookSink<
  const Events extends readonly EventTypeDefinition[] | "all",
  const Name extends string,
>(definition: WebhookSinkDefinition<Events, Name>): Sink<Name> {
  return resolvedWebhookSink(definition, undefined);
}

/** The same, with another way to find the addresses of a name. */
export function resolvedWebhookSink<
  const Events extends readonly EventTypeDefinition[] | "all",
  const Name extends string,
>(definition: WebhookSinkDefinition<Events, Name>, resolve: Resolver | undefined): Sink<Name> {
  const { name, events, url, secrets, network = {}, onAttempt, batch = 100 } = definition;
  const { after = 0, concurrency = 4, timeoutMs = DEFAULT_CALL_MS } = definition;
  const { requestTimeoutMs: requestMs = Math.min(10_000, timeoutMs / 2) } = definition;
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 32)
    throw new RangeError(`concurrency of the webhook "${name}" must be 1 to 32, not ${concurrency}.`);
  if (!(requestMs >= 1 && requestMs <= timeoutMs / 2))
    throw new RangeError(
      `requestTimeoutMs of the webhook "${name}" must be at most half of its timeoutMs, not ${requestMs}.`,
    );
  if (!Number.isSafeInteger(after) || after < 0)
    throw new RangeError(`after of the webhook "${name}" must be a position, not ${after}.`);
  const memory = webhookMemory();
  return defineSink({
    ...definition,
    batch,
    eventTypes: namesOf(events),
    promise: {
      destination: "webhook",
      ordered: true,
      transactional: false,
      idempotent: false,
      guarantee: "at least once",
      keepsCheckpoint: false,
    },
    open: async () => {
      checkWelcome(name, memory);
      const target = webhookTarget(name, typeof url === "function" ? url() : url, network, resolve);
      const keys = readWebhookKeys(name, secrets());
      const limits = { connectMs: Math.min(CONNECT_MS, requestMs), requestMs };
      const { post, close } = openWebhook(target, limits, concurrency);
      // A request that has begun by then ends before the call does.
      const beginsWithinMs = timeoutMs - requestMs - Math.min(1_000, timeoutMs / 10);
      const parts = { sink: name, keys, post, concurrency, after, beginsWithinMs, memory, onAttempt };
      return {
        checkpoint: async () => undefined,
        apply: (given, range) => deliver(parts, given, range),
        close: async () => close(),
      };
    },
  });
}
