import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type EventCatalogue, type EventTypeDefinition, seedCatalogue } from "@synap/types";
import { z } from "zod";

// defineEventType checks a definition when it is made; here it is only told apart from anything else.
const definition = z.custom<EventTypeDefinition>(
  (value) =>
    z.object({ name: z.string(), schema: z.instanceof(Object), example: z.object({}) }).safeParse(value)
      .success,
  "is not an event type; make it with defineEventType",
);
const eventTypesModule = z.object({ eventTypes: z.array(definition) });

/** The module named by SYNAP_EVENT_TYPES cannot be used. */
export class EventTypesModuleError extends Error {
  readonly code = "EVENT_TYPES_MODULE";
  override readonly name = "EventTypesModuleError";
}

/**
 * The catalogue of the seed event types and an application's own.
 *
 * @param path a JavaScript module (with tsx also TypeScript) that exports `eventTypes`, an array of what
 *   `defineEventType` makes; relative to the working directory. Undefined or empty: the seed types alone.
 * @throws EventTypesModuleError when the module cannot be loaded or exports something else.
 * @throws EventTypeDefinitionError when it names an event type that exists.
 */
export async function loadCatalogue(path: string | undefined): Promise<EventCatalogue> {
  if (path === undefined || path === "") return seedCatalogue;
  const file = resolve(path);
  let loaded: unknown;
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EventTypesModuleError(`SYNAP_EVENT_TYPES: cannot load ${file}: ${reason}`, { cause });
  }
  const parsed = eventTypesModule.safeParse(loaded);
  if (!parsed.success) {
    const reasons = parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`).join("; ");
    throw new EventTypesModuleError(
      `SYNAP_EVENT_TYPES: ${file} must export the array "eventTypes": ${reasons}`,
    );
  }
  return seedCatalogue.extend(parsed.data.eventTypes);
}
