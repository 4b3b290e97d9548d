import type { EventTypeDefinition, JsonObject } from "@synap/types";
import type { SqlSession } from "../connection/sql-session.ts";
import type { TypeDescription } from "./registered-definition.ts";
import { storedVersions } from "./stored-versions.ts";

/** Thrown at start for an event type of the code with which events of the registered type of the same name can't be read. */
export class RegisteredTypeConflictError extends Error {
  override readonly name = "RegisteredTypeConflictError";
  readonly code = "REGISTERED_TYPE_CONFLICT";
  readonly eventType: string;

  constructor(eventType: string, reason: string) {
    super(`The event type "${eventType}" of the code does not fit the registered one: ${reason}.`);
    this.eventType = eventType;
  }
}

/**
 * Compares the types of the code with registered ones of the same names. A type of the code takes the registered one over if it has all versions of
 * that, and accepts their data.
 *
 * @throws RegisteredTypeConflictError
 */
export async function refuseConflicts(
  session: SqlSession,
  types: readonly EventTypeDefinition[],
): Promise<void> {
  const registered = await storedVersions(
    session,
    types.map(({ name }) => name),
  );
  for (const type of types) {
    const versions = registered.get(type.name);
    if (versions !== undefined) await refuseConflict(type, versions);
  }
}

async function refuseConflict(
  type: EventTypeDefinition,
  registered: readonly Required<TypeDescription>[],
): Promise<void> {
  const { name, aggregateType, version } = type;
  if (version < registered.length) {
    throw new RegisteredTypeConflictError(
      name,
      `it has version ${version}, and that one ${registered.length}; events of all versions are stored, so give it each of them`,
    );
  }
  const [first] = registered;
  if (first !== undefined && first.aggregateType !== aggregateType)
    throw new RegisteredTypeConflictError(
      name,
      `it belongs to the aggregate type "${aggregateType}", and that one to "${first.aggregateType}"`,
    );
  // Loaded only where there is something to compare: it brings a validator of JSON Schemas.
  const { compareSchemas } = await import("../schema-changes/index.ts");
  for (const [index, { schema, example }] of registered.entries()) {
    const own = type.earlier[index] ?? type;
    const findings = compareSchemas(
      { jsonSchema: schema as JsonObject, examples: [example] },
      {
        jsonSchema: own.jsonSchema,
        judge: (document) =>
          own.schema.safeParse(document).success
            ? { accepted: true }
            : { accepted: false, pointer: "", reason: "is refused by the schema of the code" },
      },
    );
    const shown = findings.find(({ kind }) => kind === "break");
    if (shown === undefined) continue;
    const place = shown.pointer === "" ? "the data" : shown.pointer;
    throw new RegisteredTypeConflictError(
      name,
      `its version ${index + 1} refuses what that one accepts: ${place}: ${shown.reason}, for example ${JSON.stringify(shown.document)}`,
    );
  }
}
