import { createHash } from "node:crypto";
import type { EventCatalogue } from "@synap/types";
import canonicalize from "canonicalize";

/**
 * The event types of a process: a hash of each type's definition, by name. A type with versions has an entry for each from the second
 * on, as `name@2`, so that another process which lacks it is found like one that lacks a type.
 */
export type TypeHashes = Readonly<Record<string, string>>;

/** The content of a catalogue in a form that processes can compare. */
export interface CatalogueFingerprint {
  readonly fingerprint: string;
  readonly types: TypeHashes;
}

/** The differences between another process's catalogue and this one's. Names are sorted. */
export interface CatalogueDifference {
  /** Types that only this process knows. */
  readonly missingThere: readonly string[];
  /** Types that only the other process knows. */
  readonly missingHere: readonly string[];
  /** Types that both know, with another schema or aggregate type. */
  readonly different: readonly string[];
}

/**
 * Fingerprints a catalogue: its names, aggregate types and JSON Schemas. Refinements are code, which JSON Schema does
 * not include, so a type that differs only in those has the same hash.
 */
export function fingerprintCatalogue({ types }: Pick<EventCatalogue, "types">): CatalogueFingerprint {
  const hashes = types.flatMap(({ name, version, earlier, aggregateType, jsonSchema }) => [
    [name, hash({ aggregateType, jsonSchema })] as const,
    ...[...earlier, { version, jsonSchema }]
      .slice(1)
      .map((each) => [versionName(name, each.version), hash({ jsonSchema: each.jsonSchema })] as const),
  ]);
  const byName = Object.fromEntries(hashes.sort(([one], [other]) => (one < other ? -1 : 1)));
  return { fingerprint: hash(byName), types: byName };
}

/** The name under which processes compare a version of an event type: that of the type for the first one. */
export function versionName(type: string, schemaVersion = 1): string {
  return schemaVersion === 1 ? type : `${type}@${schemaVersion}`;
}

/** Compares another process's types with these; undefined when they are equal. */
export function compareCatalogues(own: TypeHashes, other: TypeHashes): CatalogueDifference | undefined {
  const missingThere = Object.keys(own).filter((name) => !Object.hasOwn(other, name));
  const missingHere = Object.keys(other).filter((name) => !Object.hasOwn(own, name));
  const different = Object.keys(own).filter(
    (name) => Object.hasOwn(other, name) && other[name] !== own[name],
  );
  if (missingThere.length + missingHere.length + different.length === 0) return undefined;
  return { missingThere: missingThere.sort(), missingHere: missingHere.sort(), different: different.sort() };
}

function hash(value: object): string {
  return createHash("sha256")
    .update(canonicalize(value) ?? "")
    .digest("hex")
    .slice(0, 16);
}
