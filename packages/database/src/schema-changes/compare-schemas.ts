import { checkJson, counted } from "@synap/types/internal";
import { findDoubts } from "./find-doubts.ts";
import { createJsonJudge, JsonSchemaError, type JudgeVerdict } from "./json-judge.ts";
import { canonicalText, type JsonSchema } from "./json-schema.ts";
import type { Doubt } from "./place.ts";
import { createRandom } from "./random.ts";
import { passesLike, withValuesOf } from "./rule-places.ts";
import { createSampler, NoSampleError, type Sampler } from "./sample-values.ts";

/** A rule of a schema that is code, such as a refinement, so that its JSON Schema doesn't have it. */
export interface CodeRule {
  /** The place where it applies: JSON pointer into the data, with `*` for any item or name. */
  readonly pointer: string;
  /** A hash of its source; undefined where the source can't be read. */
  readonly source?: string | undefined;
}

/** A schema in a comparison. */
export interface ComparedSchema {
  readonly jsonSchema: JsonSchema;
  /** Validates by the code itself. Default: by the JSON Schema. */
  readonly judge?: ((document: unknown) => JudgeVerdict) | undefined;
  readonly rules?: readonly CodeRule[] | undefined;
  /** Documents that it accepts. */
  readonly examples?: readonly unknown[] | undefined;
}

/** A place at which a schema refuses what the other accepts, or may do so. */
export interface SchemaFinding {
  /** JSON pointer into the data; `*` stands for any item or any name. */
  readonly pointer: string;
  /** A break is shown by a document. */
  readonly kind: "break" | "undecided";
  readonly reason: string;
  /** A document that the one schema accepts and the other refuses: both have validated it. */
  readonly document?: unknown;
}

/** Documents tried for one doubt, and for all documents of a schema. */
const TRIED_PER_DOUBT = 80;
const TRIED_IN_ALL = 200;

/**
 * Compares what two schemas accept. No finding means that `to` accepts every document that `from` accepts, as a proof over the keywords of
 * both has shown. A break has a document that was validated by both. What could be neither proven nor shown is undecided.
 */
export function compareSchemas(from: ComparedSchema, to: ComparedSchema): readonly SchemaFinding[] {
  try {
    return compareUsable(from, to);
  } catch (error) {
    if (!(error instanceof JsonSchemaError)) throw error;
    return [{ pointer: "", kind: "undecided", reason: error.message }];
  }
}

function compareUsable(from: ComparedSchema, to: ComparedSchema): readonly SchemaFinding[] {
  const fromJudge = createJsonJudge(from.jsonSchema);
  const toJudge = createJsonJudge(to.jsonSchema);
  const { examples = [] } = from;
  const sampler = createSampler(from.jsonSchema, createRandom(1), [...examples, ...(to.examples ?? [])]);
  const search: Search = {
    accepts: (document) =>
      fromJudge.judge(document).accepted &&
      (from.judge === undefined || from.judge(document).accepted) &&
      checkJson(document).length === 0,
    judgeTo: to.judge ?? ((document) => toJudge.judge(document)),
    // Code that is not there to ask had these rules as well.
    lostRules: from.judge === undefined ? (from.rules ?? []).map(({ pointer }) => pointer) : [],
    examples,
  };
  const doubts = findDoubts({ from: from.jsonSchema, to: to.jsonSchema, sampler, judge: toJudge });
  const findings = distinct(doubts).map((doubt) => settle(doubt, search));
  // The proof itself is put to the test as well, and documents may show more than the doubts.
  const isShown = findings.some(({ kind }) => kind === "break");
  const stray = isShown
    ? undefined
    : findStray(sampleDocuments(sampler, from.jsonSchema, TRIED_IN_ALL), search);
  const all =
    stray === undefined ? findings : [...findings.filter(({ pointer }) => pointer !== stray.pointer), stray];
  const shown = all.filter(({ kind }) => kind === "break").map(({ pointer }) => pointer);
  return [...all, ...differentRules(from, to)].filter(
    ({ kind, pointer }) => kind === "break" || !shown.includes(pointer),
  );
}

/** The judges of documents. */
interface Search {
  accepts(document: unknown): boolean;
  judgeTo(document: unknown): JudgeVerdict;
  readonly lostRules: readonly string[];
  readonly examples: readonly unknown[];
}

function distinct(doubts: readonly Doubt[]): readonly Doubt[] {
  const seen = new Map(doubts.map((doubt) => [`${doubt.pointer} ${doubt.keyword} ${doubt.reason}`, doubt]));
  return [...seen.values()];
}

/** Looks for a document that shows a doubt to be right. */
function settle({ pointer, reason, documents }: Doubt, search: Search): SchemaFinding {
  let tried = 0;
  let nearly: SchemaFinding | undefined;
  for (const document of documents()) {
    tried += 1;
    if (tried > TRIED_PER_DOUBT) break;
    for (const variant of variantsOf(document, search)) {
      if (!search.accepts(variant) || search.judgeTo(variant).accepted) continue;
      if (isCertain(variant, search)) return { pointer, kind: "break", reason, document: variant };
      nearly ??= { pointer, kind: "undecided", reason: `${reason}; ${LOST}`, document: variant };
    }
  }
  const count = counted(Math.min(tried, TRIED_PER_DOUBT), "document");
  return (
    nearly ?? {
      pointer,
      kind: "undecided",
      reason: `${reason}, and ${count} did not show whether it always is`,
    }
  );
}

const LOST = "the locked schema had rules in code, which may have refused the document as well";

/** The document, and the same with an example's values where rules apply. */
function variantsOf(document: unknown, { lostRules, examples }: Search): readonly unknown[] {
  if (lostRules.length === 0) return [document];
  return [document, ...examples.map((example) => withValuesOf(document, lostRules, example))];
}

function isCertain(document: unknown, { lostRules, examples }: Search): boolean {
  return passesLike(document, lostRules, examples);
}

/** A document out of all that shows a break. */
function findStray(documents: Iterable<unknown>, search: Search): SchemaFinding | undefined {
  for (const made of [...search.examples, ...documents]) {
    for (const document of variantsOf(made, search)) {
      if (!search.accepts(document) || !isCertain(document, search)) continue;
      const verdict = search.judgeTo(document);
      if (!verdict.accepted)
        return { pointer: verdict.pointer, kind: "break", reason: verdict.reason, document };
    }
  }
  return undefined;
}

/** Documents that probably satisfy a schema, the smallest first. */
export function* sampleDocuments(sampler: Sampler, schema: JsonSchema, count: number): Generator<unknown> {
  for (let made = 0; made < count; made += 1) {
    try {
      yield made === 0 ? sampler.smallest(schema) : sampler.any(schema);
    } catch (error) {
      if (!(error instanceof NoSampleError)) throw error;
    }
  }
}

/** The rules in code that `to` has and `from` hasn't. Rules with the same source at the same place are the same. */
function differentRules(from: ComparedSchema, to: ComparedSchema): readonly SchemaFinding[] {
  const known = new Set((from.rules ?? []).filter(({ source }) => source !== undefined).map(canonicalText));
  const others = (to.rules ?? []).filter(
    (rule) => rule.source === undefined || !known.has(canonicalText(rule)),
  );
  return others.map(({ pointer }) => ({
    pointer,
    kind: "undecided",
    reason: "it has a rule in code, and nothing shows whether it refuses what was accepted",
  }));
}
