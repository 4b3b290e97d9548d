import { randomBytes } from "node:crypto";
import { createEventId, ENVELOPE_EVENT_NAME } from "@synap/types";
import type { Logger } from "pino";
import type { EventApi, EventParcel } from "./event-api.ts";
import type { OutgoingEvent } from "./outgoing-event.ts";

/** Sends one envelope. Resolves when the broker has accepted it, rejects when that is not known. */
export type EnvelopeSender = (events: readonly OutgoingEvent[]) => Promise<void>;

/** Sends envelopes through Inngest, each within `deadlineMs`. Failures are logged here, once an envelope. */
export function createInngestSender(
  eventApi: Pick<EventApi, "send">,
  deadlineMs: number,
  logger: Logger,
): EnvelopeSender {
  return async (outgoing) => {
    try {
      await eventApi.send(packEnvelope(outgoing), deadlineMs);
    } catch (error) {
      logger.error({ err: error, events: outgoing.length }, "The broker did not accept an envelope");
      throw error;
    }
  };
}

/**
 * The envelope as a list of one Inngest event. Put together from the texts of its events, which are there already:
 * making an object of it and serialising that would cost more than all else here.
 *
 * The id belongs to this envelope and not to its content: all attempts to send it share the id, and the broker takes it
 * once. The same events sent by a later request make another envelope, which the broker takes too. An id made of the
 * content would let the broker, which ignores a known id for a day, drop events that were accepted and are not stored.
 */
export function packEnvelope(outgoing: readonly OutgoingEvent[]): EventParcel & { readonly id: string } {
  const events = outgoing.map(({ json }) => json).join(",");
  const id = createEventId();
  const name = ENVELOPE_EVENT_NAME;
  return {
    id,
    json: `[{"name":"${name}","id":"${id}","ts":${Date.now()},"data":{"events":[${events}]}}]`,
    entropy: randomBytes(10).toString("base64"),
  };
}
