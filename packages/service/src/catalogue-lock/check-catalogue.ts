import { type ComparedSchema, canonicalText, compareSchemas } from "@synap/database/schema-changes";
import type { EventCatalogue, EventTypeDefinition } from "@synap/types";
import {
  type CatalogueLock,
  type CodedVersion,
  type LockedType,
  type LockedVersion,
  lockType,
  versionsOf,
} from "./catalogue-lock.ts";
import { codeRulesOf } from "./code-rules.ts";
import { judgeByCode } from "./judge-by-code.ts";
import { tryUpcasts, type VersionFinding } from "./try-upcasts.ts";

/**
 * The verdict on an event type in one direction.
 * - compatible: everything that the one accepts is accepted by the other.
 * - upcast: as far as the schemas go it is compatible, and the steps of earlier versions made valid data of each document that was tried.
 * - needs-upcaster: a further version is needed, with a step to it.
 * - needs-new-type: a type of another name is needed.
 * - removed: the code doesn't have the type.
 * - undecided: neither was proven.
 */
export type Verdict = "compatible" | "upcast" | "needs-upcaster" | "needs-new-type" | "removed" | "undecided";

/** The findings about an event type in one direction. */
export interface Direction {
  readonly verdict: Verdict;
  readonly findings: readonly VersionFinding[];
  /** Documents that the steps of earlier versions were tried with. */
  readonly tried?: number;
}

/** The comparison of an event type with its lock. */
export interface TypeCheck {
  readonly type: string;
  readonly change: "unchanged" | "changed" | "added" | "removed";
  /** The current version in the lock. */
  readonly lockedVersion?: number;
  /** The current version in the code. */
  readonly version?: number;
  /** Data of the lock's versions, which this code must take and read. */
  readonly oldData: Direction;
  /** Data that the code writes, for consumers with the lock's schemas. */
  readonly newData: Direction;
}

const FINE: Direction = { verdict: "compatible", findings: [] };

/** Compares a catalogue with a lock: every type of both, by name. */
export function checkCatalogue(
  lock: CatalogueLock,
  { types }: Pick<EventCatalogue, "types">,
): readonly TypeCheck[] {
  const coded = new Map(types.map((definition) => [definition.name, definition]));
  const names = [...new Set([...Object.keys(lock.types), ...coded.keys()])].sort();
  return names.map((type) => {
    const locked = Object.hasOwn(lock.types, type) ? lock.types[type] : undefined;
    const definition = coded.get(type);
    if (locked === undefined)
      return { type, change: "added", version: definition?.version ?? 1, oldData: FINE, newData: FINE };
    if (definition === undefined)
      return { type, change: "removed", lockedVersion: locked.version, oldData: REMOVED, newData: FINE };
    return checkType(locked, definition);
  });
}

const REMOVED: Direction = {
  verdict: "removed",
  findings: [
    {
      pointer: "",
      version: 1,
      kind: "break",
      reason: "the code doesn't have the type: senders are refused, and its stored events are skipped",
    },
  ],
};

/** True for a verdict that breaks what was there. */
export function isBreak({ verdict }: Direction): boolean {
  return verdict === "needs-upcaster" || verdict === "needs-new-type" || verdict === "removed";
}

function checkType(locked: LockedType, definition: EventTypeDefinition): TypeCheck {
  const { name: type, version } = definition;
  const isSame = canonicalText(locked) === canonicalText(lockType(definition));
  const change = isSame ? "unchanged" : "changed";
  const facts = { type, change, lockedVersion: locked.version, version } as const;
  const isKnown = Object.values(locked.versions).every(({ rules = [] }) =>
    rules.every(({ source }) => source !== undefined),
  );
  if (isSame && isKnown && version === 1) return { ...facts, oldData: FINE, newData: FINE };
  return { ...facts, oldData: checkOldData(locked, definition), newData: checkNewData(locked, definition) };
}

/** Each version of the lock must be accepted as that version, and its steps must lead to valid data of the current one. */
function checkOldData(locked: LockedType, definition: EventTypeDefinition): Direction {
  if (locked.aggregateType !== definition.aggregateType)
    return broken(
      "needs-new-type",
      locked.version,
      `its streams were of "${locked.aggregateType}", and would be of another type`,
    );
  const coded = new Map(versionsOf(definition).map((each) => [each.version, each]));
  const versions = Object.entries(locked.versions).map(([key, each]) => ({ ...each, version: Number(key) }));
  const findings = versions.flatMap(({ version, ...each }): readonly VersionFinding[] => {
    const code = coded.get(version);
    if (code === undefined)
      return [
        {
          version,
          pointer: "",
          kind: "break",
          reason: "the code doesn't have this version, and its events would wait",
        },
      ];
    return compareSchemas(comparedLock(each), comparedCode(code)).map((finding) => ({ ...finding, version }));
  });
  if (findings.some(({ kind }) => kind === "break")) return { verdict: "needs-upcaster", findings };
  const earlier = versions.filter(({ version }) => version < definition.version);
  const upcasts = earlier.map((each) => tryUpcasts(each, definition));
  const failures = upcasts.flatMap(({ failures }) => failures);
  const tried = upcasts.reduce((sum, each) => sum + each.tried, 0);
  const all = [...findings, ...failures];
  if (failures.some(({ kind }) => kind === "break"))
    return { verdict: "needs-upcaster", findings: all, tried };
  if (all.length > 0) return { verdict: "undecided", findings: all, ...(earlier.length > 0 && { tried }) };
  return earlier.length > 0 ? { verdict: "upcast", findings: [], tried } : FINE;
}

function checkNewData(locked: LockedType, definition: EventTypeDefinition): Direction {
  const { version } = definition;
  const newest = locked.versions[locked.version];
  const current = versionsOf(definition).at(-1);
  if (newest === undefined || current === undefined)
    return {
      verdict: "undecided",
      findings: [{ version, pointer: "", kind: "undecided", reason: "the lock has no schema" }],
    };
  const findings = compareSchemas(comparedCode(current), comparedLock(newest)).map((finding) => ({
    ...finding,
    version,
  }));
  if (version > locked.version) {
    const reason = `consumers that know version ${locked.version} keep aside what is of version ${version} until they know it`;
    return {
      verdict: "needs-new-type",
      findings: [{ version, pointer: "", kind: "break", reason }, ...findings],
    };
  }
  if (findings.some(({ kind }) => kind === "break")) return { verdict: "needs-new-type", findings };
  return findings.length > 0 ? { verdict: "undecided", findings } : FINE;
}

function broken(verdict: Verdict, version: number, reason: string): Direction {
  return { verdict, findings: [{ version, pointer: "", kind: "break", reason }] };
}

/** A schema of the lock in a comparison. Only its JSON Schema is there to ask. */
function comparedLock({ schema, rules, example }: LockedVersion): ComparedSchema {
  return { jsonSchema: schema, rules, ...(example !== undefined && { examples: [example] }) };
}

/** A schema of the code in a comparison, which is asked itself. */
function comparedCode({ schema, jsonSchema, example }: CodedVersion): ComparedSchema {
  return {
    jsonSchema,
    rules: codeRulesOf(schema),
    judge: (document) => judgeByCode(schema, document),
    ...(example !== undefined && { examples: [example] }),
  };
}
