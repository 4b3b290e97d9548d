import {
  createJsonJudge,
  createRandom,
  createSampler,
  JsonSchemaError,
  type SchemaFinding,
  sampleDocuments,
} from "@synap/database/schema-changes";
import { type EventTypeDefinition, EventUpcastError } from "@synap/types";
import { upcastEvent } from "@synap/types/internal";
import type { LockedVersion } from "./catalogue-lock.ts";
import { judgeByCode } from "./judge-by-code.ts";

/** A finding, and the version of the data that it is about. */
export interface VersionFinding extends SchemaFinding {
  readonly version: number;
}

/** Documents made of a version's schema. */
const DOCUMENTS = 100;

/** The outcome for the documents of one version. */
export interface TriedUpcasts {
  /** Documents that were taken through the steps. */
  readonly tried: number;
  readonly failures: readonly VersionFinding[];
}

/**
 * Takes documents of an earlier version through the steps to the current one, and validates what comes out. Steps are code, so this finds
 * failures and proves nothing.
 */
export function tryUpcasts(
  { version, schema, example }: LockedVersion & { readonly version: number },
  definition: EventTypeDefinition,
): TriedUpcasts {
  let tried = 0;
  const judge = usable(schema);
  if (judge === undefined) return { tried, failures: [] };
  const examples = example === undefined ? [] : [example];
  const sampler = createSampler(schema, createRandom(2), examples);
  for (const document of [...examples, ...sampleDocuments(sampler, schema, DOCUMENTS)]) {
    if (!judge.judge(document).accepted || !acceptedAs(version, definition, document)) continue;
    tried += 1;
    const failure = failureOf(document, version, definition);
    if (failure !== undefined) return { tried, failures: [failure] };
  }
  const reason = "no document was found to try its steps with";
  return { tried, failures: tried > 0 ? [] : [{ version, pointer: "", kind: "undecided", reason }] };
}

function usable(schema: LockedVersion["schema"]) {
  try {
    return createJsonJudge(schema);
  } catch (error) {
    if (error instanceof JsonSchemaError) return undefined;
    throw error;
  }
}

/** The code's own schema of the version has the last word: only what it accepts reaches the steps. */
function acceptedAs(version: number, { earlier }: EventTypeDefinition, document: unknown): boolean {
  const step = earlier[version - 1];
  return step !== undefined && judgeByCode(step.schema, document).accepted;
}

function failureOf(
  document: unknown,
  version: number,
  definition: EventTypeDefinition,
): VersionFinding | undefined {
  if (typeof document !== "object" || document === null || Array.isArray(document)) return undefined;
  const kind = "break";
  try {
    const event = {
      id: "example",
      type: definition.name,
      schemaVersion: version,
      data: structuredClone(document),
    };
    const verdict = judgeByCode(
      definition.schema,
      upcastEvent({ ...event, data: { ...event.data } }, { ...definition, parse: false }).data,
    );
    if (verdict.accepted) return undefined;
    const reason = `its steps make data that version ${definition.version} refuses: ${verdict.reason}`;
    return { version, pointer: verdict.pointer, kind, reason, document };
  } catch (error) {
    if (!(error instanceof EventUpcastError)) throw error;
    return {
      version,
      pointer: "",
      kind,
      reason: `its ${error.message.replace(/^.*?can't be read: its /, "")}`,
      document,
    };
  }
}
