import {
  type EventCatalogue,
  type EventTypeDefinition,
  EventTypeDefinitionError,
  type JsonObject,
} from "@synap/types";
import { checkJson, counted } from "@synap/types/internal";
import type { Database, SqlSession } from "../connection/sql-session.ts";
import { RELEASE } from "../release.ts";
import { compareSchemas, type SchemaFinding, sampleDocuments } from "../schema-changes/compare-schemas.ts";
import { createJsonJudge, type JsonJudge, JsonSchemaError } from "../schema-changes/json-judge.ts";
import { canonicalText } from "../schema-changes/json-schema.ts";
import { createRandom } from "../schema-changes/random.ts";
import { createSampler } from "../schema-changes/sample-values.ts";
import { publishEventTypes } from "./publish-event-types.ts";
import { isRecordType } from "./record-types.ts";
import { registeredDefinition, type TypeDescription } from "./registered-definition.ts";
import { RegisteredSchemaError } from "./schema-issue.ts";
import { storedVersions } from "./stored-versions.ts";

/** Maximum number of registered event types. */
export const MAX_REGISTERED_TYPES = 1_000;
/** Maximum number of versions of a registered event type. */
export const MAX_TYPE_VERSIONS = 100;
/** Documents on which both validators have to agree before a schema is accepted. */
const WITNESSED = 200;

/** Thrown when an event type can't be registered beside those that are there. */
export class TypeRegistrationError extends Error {
  override readonly name = "TypeRegistrationError";
  readonly code: "TYPE_IN_CODE" | "TYPE_INCOMPATIBLE" | "TOO_MANY_TYPES";
  /** The places at which the schema refuses what the registered one accepts, each with a document that shows it. */
  readonly findings: readonly SchemaFinding[];

  constructor(code: TypeRegistrationError["code"], message: string, findings: readonly SchemaFinding[] = []) {
    super(message);
    this.code = code;
    this.findings = findings;
  }
}

/** The outcome of a registration: a new type, a new version of one, or nothing, because it is registered like that. */
export type RegistrationOutcome = "registered" | "changed" | "unchanged";

/** A registered event type. */
export interface Registration {
  readonly outcome: RegistrationOutcome;
  readonly type: EventTypeDefinition;
}

/** A registration's sender, and the types that it must not replace. */
export interface RegistrationOptions {
  /** Those of the code. */
  readonly catalogue: Pick<EventCatalogue, "types">;
  /** The actor who registers it, as `createdBy` of events has it. */
  readonly actor: string;
}

/** Retries of a registration that another one of the same name has overtaken. */
const MAX_ATTEMPTS = 5;

/**
 * Registers an event type, or a new version of one. The new version must accept all data that the one before it accepts: nobody has code that could
 * turn the older data into the newer.
 *
 * @throws RegisteredSchemaError, EventTypeDefinitionError for a type that none can be; TypeRegistrationError for one that does not fit those that
 *   are there
 */
export async function registerEventType(
  database: Database,
  description: TypeDescription,
  { catalogue, actor }: RegistrationOptions,
): Promise<Registration> {
  const sent = registeredDefinition([description]);
  const { name } = sent;
  const [unsound] = checkJson({ description: sent.description });
  if (unsound !== undefined)
    throw new EventTypeDefinitionError("EVENT_TYPE_INVALID", name, `its description ${unsound.reason}`);
  if (isRecordType(name) || catalogue.types.some((type) => type.name === name)) throw inCode(name);
  refuseDisagreement(sent);
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const versions = (await storedVersions(database, [name])).get(name) ?? [];
    const current = versions.at(-1);
    const complete = { ...description, aggregateType: sent.aggregateType };
    if (current !== undefined && isSame(current, complete)) {
      if (await isOfCode(database, name)) throw inCode(name);
      return { outcome: "unchanged", type: registeredDefinition(versions) };
    }
    if (current !== undefined) refuseIncompatible(current, complete);
    if (versions.length >= MAX_TYPE_VERSIONS)
      throw new TypeRegistrationError(
        "TOO_MANY_TYPES",
        `"${name}" has ${counted(versions.length, "version")} already. Register another type.`,
      );
    const type = registeredDefinition([...versions, complete]);
    const isStored = await database.transaction(async (transaction) => {
      if (await isOfCode(transaction, name)) throw inCode(name);
      if (current === undefined) await refuseTooMany(transaction);
      const rows = await transaction.query(INSERT, [
        name,
        type.version,
        type.aggregateType,
        type.description,
        actor,
        JSON.stringify(type.jsonSchema),
        JSON.stringify(type.example),
      ]);
      if (rows.length === 0) return false;
      const published = await publishEventTypes(transaction, [type], {
        release: RELEASE,
        isRegistered: true,
      });
      // A process with the type in its code has started since.
      if (published.length === 0) throw inCode(name);
      return true;
    });
    if (isStored) return { outcome: current === undefined ? "registered" : "changed", type };
  }
  throw new Error(`"${name}" was registered by others again and again at the same time.`);
}

const INSERT = `
INSERT INTO synap.registered_types
       (name, schema_version, aggregate_type, description, registered_by, json_schema, example)
VALUES ($1, $2, $3, $4, $5, $6::text::json, $7::text::json)
ON CONFLICT DO NOTHING
RETURNING name`;

/** A type that a process of another release or application has in its code. */
async function isOfCode(session: SqlSession, name: string): Promise<boolean> {
  const [row] = await session.query<{ registered: boolean }>(
    "SELECT registered FROM synap.event_types WHERE name = $1",
    [name],
  );
  return row?.registered === false;
}

async function refuseTooMany(session: SqlSession): Promise<void> {
  const [row] = await session.query<{ count: number }>(
    "SELECT count(*) AS count FROM synap.registered_types WHERE schema_version = 1",
  );
  if ((row?.count ?? 0) < MAX_REGISTERED_TYPES) return;
  throw new TypeRegistrationError(
    "TOO_MANY_TYPES",
    `There are ${counted(MAX_REGISTERED_TYPES, "registered event type")} already, which is the maximum.`,
  );
}

function inCode(name: string): TypeRegistrationError {
  return new TypeRegistrationError(
    "TYPE_IN_CODE",
    `"${name}" is defined in code, and changes with the code only.`,
  );
}

function isSame(one: Required<TypeDescription>, other: TypeDescription): boolean {
  const { description, schema, example, aggregateType } = one;
  return (
    canonicalText({ description, schema, example, aggregateType }) ===
    canonicalText({
      description: other.description,
      schema: other.schema,
      example: other.example,
      aggregateType: other.aggregateType,
    })
  );
}

function refuseIncompatible(current: Required<TypeDescription>, changed: TypeDescription): void {
  const { name } = current;
  if (current.aggregateType !== changed.aggregateType)
    throw new TypeRegistrationError(
      "TYPE_INCOMPATIBLE",
      `"${name}" belongs to the aggregate type "${current.aggregateType}", and its events can't move to another.`,
    );
  const findings = compareSchemas(
    // Validated before they were stored.
    { jsonSchema: current.schema as JsonObject, examples: [current.example] },
    { jsonSchema: changed.schema as JsonObject, examples: [changed.example] },
  );
  const [first] = findings;
  if (first === undefined) return;
  const place = first.pointer === "" ? "the data" : first.pointer;
  throw new TypeRegistrationError(
    "TYPE_INCOMPATIBLE",
    `The schema of "${name}" does not accept all data that the registered one accepts: ${place}: ${first.reason}. Register a type of another name.`,
    findings,
  );
}

/**
 * Puts a schema to the test before events are: another validator, Ajv, has to judge documents like the one that was made here.
 *
 * @throws RegisteredSchemaError
 */
function refuseDisagreement({ name, jsonSchema, schema, example }: EventTypeDefinition): void {
  const { judge } = judgeOf(name, jsonSchema);
  const sampler = createSampler(jsonSchema, createRandom(1), [example]);
  for (const document of sampleDocuments(sampler, jsonSchema, WITNESSED)) {
    if (judge(document).accepted === schema.safeParse(document).success) continue;
    const reason = `is read in two ways by two validators, for example ${JSON.stringify(document).slice(0, 500)}`;
    throw new RegisteredSchemaError(name, [{ path: "", code: "uncheckable", reason }]);
  }
}

/** @throws RegisteredSchemaError for keywords with values that JSON Schema does not allow, such as a title that is no text */
function judgeOf(name: string, jsonSchema: EventTypeDefinition["jsonSchema"]): JsonJudge {
  try {
    return createJsonJudge(jsonSchema);
  } catch (cause) {
    if (!(cause instanceof JsonSchemaError)) throw cause;
    const issue = {
      path: "",
      code: "keyword-invalid",
      reason: `is no JSON Schema: ${cause.message}`,
    } as const;
    throw new RegisteredSchemaError(name, [issue], { cause });
  }
}
