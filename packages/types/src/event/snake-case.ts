import { z } from "zod";
import { eventInputSchema } from "./event-input.ts";
import { synapEventSchema } from "./synap-event.ts";

/** Writes a name in snake case. An event's `type` is `event_type`, as in the original documents. */
export function snakeName(name: string): string {
  if (name === "type") return "event_type";
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Returns the name that is written so in snake case. */
export function camelName(name: string): string {
  if (name === "event_type") return "type";
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The fields of an event that are written differently in snake case, by that spelling. */
export const SNAKE_CASE_FIELDS: ReadonlyMap<string, string> = new Map(
  Object.keys(synapEventSchema.shape)
    .map((name): [string, string] => [snakeName(name), name])
    .filter(([snake, name]) => snake !== name),
);

/** An event as clients send it, in snake case. */
export const snakeEventInputSchema = z
  .strictObject(
    Object.fromEntries(
      Object.entries(eventInputSchema.shape).map(([name, schema]) => [snakeName(name), schema]),
    ),
  )
  .describe("An event in snake case. Each field may be in either spelling, but not in both.");
