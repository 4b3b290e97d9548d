import type { Logger } from "pino";
import type { OutgoingEvent } from "./envelope.ts";
import type { EventApi } from "./event-api.ts";
import { packEnvelopes } from "./pack-envelopes.ts";

/**
 * Sends the events gathered for one envelope. Resolves with the number of events, from the first, that the broker has
 * accepted; whether it has accepted the others is unknown. Never rejects.
 */
export type EnvelopeSender = (events: readonly OutgoingEvent[]) => Promise<number>;

export interface InngestSenderOptions {
  /** Maximum size of an envelope as sent, in bytes. */
  readonly maxBytes: number;
  /** Time limit for sending one envelope, in milliseconds. */
  readonly deadlineMs: number;
  readonly logger: Logger;
}

/**
 * Creates a sender of envelopes to Inngest. Calls pack their events concurrently, and begin to send in the order of the calls.
 * Events that need several envelopes are sent one envelope after the other, until one fails. Failures are logged.
 */
export function createInngestSender(
  eventApi: Pick<EventApi, "send">,
  { maxBytes, deadlineMs, logger }: InngestSenderOptions,
): EnvelopeSender {
  /** Settles when all earlier calls have packed their events. */
  let packed: Promise<void> = Promise.resolve();

  return async (outgoing) => {
    let accepted = 0;
    try {
      const packing = packEnvelopes(outgoing, maxBytes);
      const turn = packed;
      const passOn = () => turn;
      packed = packing.then(passOn, passOn);
      const envelopes = await packing;
      await turn;
      for (const envelope of envelopes) {
        await eventApi.send(envelope, deadlineMs);
        accepted += envelope.events;
      }
    } catch (error) {
      const events = outgoing.length - accepted;
      logger.error({ err: error, events }, "The broker did not accept an envelope");
    }
    return accepted;
  };
}
