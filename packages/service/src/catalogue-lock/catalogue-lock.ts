import { sortKeys } from "@synap/database/schema-changes";
import type { EventCatalogue, EventTypeDefinition } from "@synap/types";
import { describeZodIssues } from "@synap/types/internal";
import { z } from "zod";
import { codeRulesOf } from "./code-rules.ts";

const lockedVersion = z.object({
  schema: z.record(z.string(), z.unknown()),
  rules: z.array(z.object({ pointer: z.string(), source: z.string().optional() })).optional(),
  example: z.unknown().optional(),
});

const lockedType = z.object({
  aggregateType: z.string(),
  version: z.int().min(1),
  versions: z.record(z.string().regex(/^\d+$/), lockedVersion),
});

const catalogueLock = z.object({ format: z.literal(1), types: z.record(z.string(), lockedType) });

/** The schemas of a catalogue at one moment, as a file keeps them. */
export type CatalogueLock = z.output<typeof catalogueLock>;

/** An event type in a lock. */
export type LockedType = z.output<typeof lockedType>;

/** The schema of one version in a lock. */
export type LockedVersion = z.output<typeof lockedVersion>;

/** Thrown when a lock can't be read. */
export class CatalogueLockError extends Error {
  override readonly name = "CatalogueLockError";
  readonly code = "CATALOGUE_LOCK_INVALID";
}

/** A schema of an event type, with its code. */
export interface CodedVersion {
  readonly version: number;
  readonly schema: z.ZodType;
  readonly jsonSchema: Readonly<Record<string, unknown>>;
  readonly example?: unknown;
}

/** All versions of an event type, the oldest first. */
export function versionsOf({
  earlier,
  version,
  schema,
  jsonSchema,
  example,
}: EventTypeDefinition): readonly CodedVersion[] {
  return [...earlier, { version, schema, jsonSchema, example }];
}

/** The lock of a catalogue. */
export function lockCatalogue({ types }: Pick<EventCatalogue, "types">): CatalogueLock {
  return {
    format: 1,
    types: Object.fromEntries(types.map((definition) => [definition.name, lockType(definition)])),
  };
}

/** The entry of an event type. */
export function lockType(definition: EventTypeDefinition): LockedType {
  const { aggregateType, version } = definition;
  const versions = versionsOf(definition).map((each) => [String(each.version), lockVersion(each)] as const);
  return { aggregateType, version, versions: Object.fromEntries(versions) };
}

function lockVersion({ schema, jsonSchema, example }: CodedVersion): LockedVersion {
  const rules = codeRulesOf(schema).map((rule) => ({ ...rule }));
  return {
    schema: jsonSchema,
    ...(rules.length > 0 && { rules }),
    ...(example !== undefined && { example }),
  };
}

/** The text of a lock's file: the same bytes for the same schemas, in whatever order they were defined. */
export function writeLock(lock: CatalogueLock): string {
  return `${JSON.stringify(sortKeys(lock), null, 2)}\n`;
}

/** Reads the text of a lock's file. @throws CatalogueLockError */
export function readLock(text: string): CatalogueLock {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CatalogueLockError("The lock is not JSON.", { cause });
  }
  const read = catalogueLock.safeParse(value);
  if (!read.success)
    throw new CatalogueLockError(`The lock can't be read: ${describeZodIssues(read.error.issues, "lock")}`);
  return read.data;
}
