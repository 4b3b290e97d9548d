import {
  createEventCatalogue,
  type EventTypeDefinition,
  EventValidationError,
  type JsonObject,
} from "@synap/types";
import fc from "fast-check";
import { expect, it } from "vitest";
import { z } from "zod";
import { schemaCases, valuesFor } from "../../testing/arbitrary-schemas.ts";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { compileCheck } from "./compile-check.ts";

const TYPE = "probe.made";

/** The issues that TypeScript finds in data, as "path: code". */
function issuesInTypeScript(schema: z.ZodType, data: JsonObject): string[] {
  const definition: EventTypeDefinition = {
    name: TYPE,
    aggregateType: "probe",
    description: "A probe.",
    version: 1,
    earlier: [],
    personal: [],
    schema: schema as z.ZodType<JsonObject>,
    example: {},
    jsonSchema: {},
  };
  try {
    createEventCatalogue([definition]).validateEventData(TYPE, data);
    return [];
  } catch (error) {
    if (!(error instanceof EventValidationError)) throw error;
    return distinct(error.issues.map(({ path, code }) => `${path}: ${code}`));
  }
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

/**
 * The issues without those that TypeScript leaves out: Zod does not count the items of an array that holds a fraction instead of a
 * whole number.
 */
function withoutLengths(found: readonly string[], expected: readonly string[]): string[] {
  return found.filter((issue) => {
    const [path = "", code] = issue.split(": ");
    const isContainer = code === "too-small" && expected.some((other) => other.startsWith(`${path}[`));
    return !isContainer || expected.includes(issue);
  });
}

describeOnEveryEngine("a check in the database", (engine) => {
  /** The issues that the database finds in each of several values. */
  async function issuesInSql(schema: z.ZodType, values: readonly JsonObject[]): Promise<string[][]> {
    const { plan, obstacle } = compileCheck(schema);
    expect(obstacle).toBeUndefined();
    const rows = await engine.database.asOwner((owner) =>
      owner.query<{ at: number; issue: string }>(
        `SELECT i.at - 1 AS at, i.path || ': ' || i.code AS issue
           FROM (SELECT array_agg(v.value ORDER BY v.ordinal) AS vals, array_agg('data'::text) AS paths
                   FROM jsonb_array_elements($2::text::jsonb) WITH ORDINALITY AS v(value, ordinal)) AS k
          CROSS JOIN LATERAL synap.check_issues($1::text::jsonb, k.vals, k.paths) AS i`,
        [JSON.stringify(plan), JSON.stringify(values)],
      ),
    );
    return values.map((_, index) =>
      distinct(rows.filter(({ at }) => at === index).map(({ issue }) => issue)),
    );
  }

  it("finds the issues that TypeScript finds, whatever the schema and the data", {
    timeout: 600_000,
  }, async () => {
    const cases = schemaCases.chain((each) =>
      fc.record({
        schema: fc.constant(z.strictObject({ v: each.schema })),
        values: fc.array(
          valuesFor(each).map((v): JsonObject => ({ v })),
          { minLength: 1, maxLength: 12 },
        ),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ schema, values }) => {
        const expected = values.map((data) => issuesInTypeScript(schema, data));
        const found = await issuesInSql(schema, values);
        values.forEach((data, index) => {
          const issues = withoutLengths(found[index] ?? [], expected[index] ?? []);
          expect({ data: JSON.stringify(data), issues }).toEqual({
            data: JSON.stringify(data),
            issues: expected[index],
          });
        });
      }),
      { numRuns: 200 },
    );
  });
});
