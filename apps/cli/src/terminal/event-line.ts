import type { StoredEvent } from "@synap/types";
import { cut, jsonText, plain, WIDTH } from "./table.ts";

/** The titles of {@link eventLine}. */
export function eventTitles(numbering: "version" | "position"): string {
  return `${numbering.toUpperCase().padStart(14)}  ${"WHEN".padEnd(24)}  ${"TYPE".padEnd(27)}  DATA`;
}

/** Formats an event on one line of at most 100 characters. */
export function eventLine(event: StoredEvent, numbering: "version" | "position"): string {
  const number = numbering === "version" ? event.streamVersion : event.position;
  const type = cut(plain(event.type), 27).padEnd(27);
  const start = `${String(number).padStart(14)}  ${event.timestamp.padEnd(24)}  ${type}  `;
  return start + cut(plain(jsonText(event.data)), WIDTH - start.length);
}
