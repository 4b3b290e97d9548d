import type { SynapEvent } from "../event/event.ts";
import type { EventIssue } from "../issues/event-issue.ts";
import { thrownFacts } from "../issues/thrown-facts.ts";
import { fieldsOfJsonSchema, toEventIssues } from "../issues/zod-issues.ts";
import type { JsonObject } from "../json/json.ts";
import type { EventTypeDefinition } from "./define-event-type.ts";
import type { EarlierVersion } from "./schema-versions.ts";
import { StoredDataInvalidError } from "./stored-data-error.ts";

/** Thrown when data of an earlier version can't be turned into the next one: a mistake in a step of `upcast`. */
export class EventUpcastError extends Error {
  readonly code = "EVENT_UPCAST_FAILED";
  override readonly name = "EventUpcastError";
  readonly eventType: string;
  /** The version that the step begins with. */
  readonly schemaVersion: number;
  readonly eventId: string;

  constructor(
    event: Pick<SynapEvent, "id" | "type">,
    version: number,
    reason: string,
    options?: ErrorOptions,
  ) {
    const { id, type } = event;
    super(
      `Event ${id} of type "${type}" can't be read: its step from version ${version} ${reason}.`,
      options,
    );
    this.eventType = type;
    this.schemaVersion = version;
    this.eventId = id;
  }
}

/** The parts of an event that a version matters for. */
type VersionedEvent = Pick<SynapEvent, "id" | "type" | "data"> & {
  readonly schemaVersion?: number | undefined;
};

/**
 * Returns the event with its data at the current version of its type: see `EventCatalogue.upcast`. What comes from here has the
 * version that it was brought to, so that a second call leaves it as it is.
 *
 * @param definition of the event's type; undefined for one that is not in the catalogue
 * @throws EventUpcastError; StoredDataInvalidError if the type asks for `parse`
 */
export function upcastEvent<Event extends VersionedEvent>(
  event: Event,
  definition:
    | Pick<EventTypeDefinition, "version" | "earlier" | "schema" | "jsonSchema" | "parse">
    | undefined,
): Event {
  const version = event.schemaVersion ?? 1;
  if (definition === undefined || version > definition.version) return event;
  if (version === definition.version) {
    if (definition.parse) checkData(event, definition, event.data);
    return event;
  }
  let { data }: { data: JsonObject } = event;
  for (const step of definition.earlier.slice(version - 1)) data = takeStep(event, step, data);
  if (definition.parse) checkData(event, definition, data);
  return { ...event, data, schemaVersion: definition.version };
}

/** @throws StoredDataInvalidError */
function checkData(
  event: VersionedEvent,
  { schema, jsonSchema }: Pick<EventTypeDefinition, "schema" | "jsonSchema">,
  data: JsonObject,
): void {
  const faults = faultsOf(schema, jsonSchema, data);
  if (faults !== undefined) throw new StoredDataInvalidError(event, faults.pointer, faults.issues);
}

function faultsOf(
  schema: EventTypeDefinition["schema"],
  jsonSchema: unknown,
  data: JsonObject,
): { readonly pointer: string; readonly issues: readonly EventIssue[] } | undefined {
  let result: ReturnType<typeof schema.safeParse>;
  try {
    result = schema.safeParse(data, { reportInput: true });
  } catch (cause) {
    const reason = `can't be checked, because the schema threw: ${thrownFacts(cause).message}`;
    return { pointer: "", issues: [{ path: "data", code: "invalid", reason }] };
  }
  if (result.success) return undefined;
  const path = result.error.issues[0]?.path ?? [];
  const pointer = path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  return { pointer, issues: toEventIssues(result.error.issues, fieldsOfJsonSchema(jsonSchema), ["data"]) };
}

/** True if the event has a newer version than the definition. */
export function isNewerVersion(
  { schemaVersion = 1 }: Pick<VersionedEvent, "schemaVersion">,
  definition: Pick<EventTypeDefinition, "version"> | undefined,
): boolean {
  return definition !== undefined && schemaVersion > definition.version;
}

function takeStep(event: VersionedEvent, { version, up }: EarlierVersion, data: JsonObject): JsonObject {
  let next: unknown;
  try {
    next = up(data);
  } catch (cause) {
    throw new EventUpcastError(event, version, `threw: ${thrownFacts(cause).message}`, { cause });
  }
  if (isData(next)) return next;
  throw new EventUpcastError(event, version, "gave no object");
}

function isData(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Promise);
}
