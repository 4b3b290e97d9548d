import { createHash } from "node:crypto";
import type { EventTypeDefinition } from "@synap/types";
import { z } from "zod";
import type { Decider } from "./decider.ts";

/**
 * Hashes everything that determines a state: the source of `evolve`, the initial state, the schema of the state,
 * the schemas of the events with the steps from their earlier versions, and the decider's `revision`, which covers the functions that `evolve` calls. A
 * snapshot with another fingerprint is not used.
 */
export function deciderFingerprint(
  decider: Pick<Decider, "events" | "initialState" | "name" | "revision" | "state"> & {
    evolve(...parameters: never[]): unknown;
  },
): string {
  const { name, revision, initialState, events } = decider;
  const parts = {
    name,
    revision,
    evolve: decider.evolve.toString(),
    initialState,
    state: z.toJSONSchema(decider.state),
    events: events
      .map((event) => [event.name, event.jsonSchema, ...versionsOf(event)] as const)
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  };
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** The parts of a type that say what the data of its earlier versions becomes. Nothing for a type without any, so that its snapshots stay good. */
function versionsOf({ version, earlier }: EventTypeDefinition): unknown[] {
  return version === 1 ? [] : [version, earlier.map(({ jsonSchema, up }) => [jsonSchema, up.toString()])];
}
