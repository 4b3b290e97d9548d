import { createHash } from "node:crypto";
import { ENVELOPE_EVENT_NAME } from "@synap/types";
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
 * The same events in the same order have the same id, so that Inngest recognises a repeated send.
 */
export function packEnvelope(outgoing: readonly OutgoingEvent[]): EventParcel & { readonly id: string } {
  const events = outgoing.map(({ json }) => json).join(",");
  const hash = createHash("sha256").update(events).digest();
  const id = hash.toString("hex");
  const name = ENVELOPE_EVENT_NAME;
  return {
    id,
    json: `[{"name":"${name}","id":"${id}","ts":${Date.now()},"data":{"events":[${events}]}}]`,
    entropy: hash.toString("base64", 0, 10),
  };
}
