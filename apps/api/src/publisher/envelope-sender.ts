import { createHash } from "node:crypto";
import { ENVELOPE_EVENT_NAME, type Envelope } from "@synap/types";
import type { Inngest } from "inngest";
import type { Logger } from "pino";
import type { OutgoingEvent } from "./outgoing-event.ts";
import { withinDeadline } from "./send-deadline.ts";

/** Sends one envelope. Resolves when the broker has accepted it, rejects when that is not known. */
export type EnvelopeSender = (events: readonly OutgoingEvent[]) => Promise<void>;

/** What is needed of the Inngest client. */
export type EventSending = Pick<Inngest, "send">;

/**
 * Sends envelopes through Inngest. The SDK tries five times within about two seconds; `deadlineMs` bounds the whole
 * when the client was made by `createInngestClient`. Failures are logged here, once an envelope.
 */
export function createInngestSender(
  inngest: EventSending,
  deadlineMs: number,
  logger: Logger,
): EnvelopeSender {
  return async (outgoing) => {
    const data: Envelope = { events: outgoing.map(({ event }) => event) };
    try {
      await withinDeadline(deadlineMs, () =>
        inngest.send({ name: ENVELOPE_EVENT_NAME, id: envelopeId(outgoing), data }),
      );
    } catch (error) {
      logger.error({ err: error, events: outgoing.length }, "The broker did not accept an envelope");
      throw error;
    }
  };
}

/** The same events in the same order have the same id, so that Inngest recognises a repeated send. */
export function envelopeId(outgoing: readonly OutgoingEvent[]): string {
  const hash = createHash("sha256");
  // JSON has no raw line feed, so the parts cannot run into each other.
  for (const { json } of outgoing) hash.update(json).update("\n");
  return hash.digest("hex");
}
