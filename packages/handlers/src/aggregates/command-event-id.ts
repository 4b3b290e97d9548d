import type { StreamName } from "@synap/types";
import { derivedEventId } from "../derived-event-id.ts";

/** The UUIDv5 namespace of these ids, generated once for this purpose. */
const COMMANDS = "6f1b7a52-3c0e-5d94-9a57-1f2c8f4b6e01";

/**
 * Derives the id of the nth event of a command: the same command with the same key gives the same ids, from which the
 * store recognises that it has been executed.
 */
export function commandEventId(
  stream: StreamName,
  command: string,
  commandKey: string,
  index: number,
): string {
  const { aggregateType, aggregateId } = stream;
  return derivedEventId({
    handler: JSON.stringify([aggregateType, aggregateId, command, commandKey]),
    cause: COMMANDS,
    part: String(index),
  });
}
