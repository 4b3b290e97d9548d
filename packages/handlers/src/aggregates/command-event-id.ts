import type { StreamName } from "@synap/database";
import { derivedEventId } from "../derived-event-id.ts";

/** The namespace of these ids, a UUID made for the purpose. */
const COMMANDS = "6f1b7a52-3c0e-5d94-9a57-1f2c8f4b6e01";

/**
 * The id of the event at a place in what a command leads to: the same command with the same key gives the same ids, by
 * which the store knows that it was carried out.
 */
export function commandEventId(
  stream: StreamName,
  command: string,
  commandKey: string,
  place: number,
): string {
  const { aggregateType, aggregateId } = stream;
  return derivedEventId({
    handler: JSON.stringify([aggregateType, aggregateId, command, commandKey]),
    cause: COMMANDS,
    part: String(place),
  });
}
