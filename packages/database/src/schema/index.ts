import {
  appends,
  checkpoints,
  deadLetters,
  eventIds,
  heldStreams,
  idempotencyKeys,
  migrations,
  parkedEvents,
  runningProcesses,
  streams,
} from "./bookkeeping.ts";
import { events } from "./events.ts";

/** The store's tables for drizzle. A test compares them with the migrated database. */
export const schema = {
  events,
  streams,
  eventIds,
  idempotencyKeys,
  appends,
  checkpoints,
  deadLetters,
  heldStreams,
  parkedEvents,
  runningProcesses,
  migrations,
};
