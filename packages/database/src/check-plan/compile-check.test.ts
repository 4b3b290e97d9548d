import { TIMESTAMP_FORM } from "@synap/types/internal";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { compileCheck } from "./compile-check.ts";

const startsWithA = (value: string) => value.startsWith("a");

describe("a schema that the database can't check", () => {
  const endless: z.ZodType = z.lazy(() => z.union([z.string(), endless]));
  const ambiguous: z.ZodType = z.lazy(() =>
    z.union([z.strictObject({ one: ambiguous }), z.strictObject({ other: ambiguous })]),
  );
  it.each<[string, z.ZodType, string]>([
    ["a refinement", z.string().refine(startsWithA), "data.a: it has a refinement"],
    [
      "a refinement after the keyword",
      z.string().meta({ pattern: "^a" }).refine(startsWithA),
      "data.a: it has a refinement",
    ],
    [
      "a second refinement, which the keyword does not express",
      z.string().refine(startsWithA).meta({ pattern: "^a" }).refine(startsWithA),
      "data.a: it has a refinement",
    ],
    [
      "a refinement that is expressed by an unknown keyword",
      z.string().refine(startsWithA).meta({ contentMediaType: "text/html" }),
      "data.a: its refinement is expressed with contentMediaType",
    ],
    ["a back-reference", z.string().regex(/(a)\1/), "data.a: its pattern has a back-reference"],
    ["a property of Unicode", z.string().regex(/\p{L}/u), "data.a: its pattern has a property of Unicode"],
    ["the flag m", z.string().regex(/^a$/m), "data.a: its pattern has the flag m"],
    ["foreign letters in either case", z.string().regex(/ä/i), "data.a: its pattern has the flag i and"],
    ["a repeated assertion", z.string().regex(/(?=a)*/), "data.a: its pattern repeats an assertion"],
    ["counts of counts", z.string().regex(/(?:a{1,255}){1,255}/), "data.a: its pattern counts too far"],
    ["a check sum", z.iban(), "data.a: its format is iban"],
    ["a token", z.jwt(), "data.a: its format is jwt"],
    ["a URL of certain hosts", z.url({ hostname: /^a$/ }), "data.a: its format is url with a hostname"],
    ["a format of its own", z.stringFormat("even", () => true), "data.a: its format is even"],
    ["numbers as keys", z.record(z.number(), z.any()), "data.a: its keys have the type number"],
    ["a schema that only contains itself", endless, "data contains a schema that contains itself without"],
    ["forms that all contain the schema", ambiguous, "data has a recursive union"],
  ])("%s", (_name, schema, obstacle) => {
    const compiled = compileCheck(z.strictObject({ a: schema }));
    expect(compiled).toEqual({ obstacle: expect.stringContaining(obstacle) });
  });

  it("names the part inside of lists and objects", () => {
    const schema = z.strictObject({ list: z.array(z.object({ code: z.jwt().optional() })) });
    expect(compileCheck(schema).obstacle).toMatch(/^data\.list\.\[\]\.code: /);
  });
});

describe("a refinement that a keyword of JSON Schema expresses", () => {
  it.each<[string, z.ZodType, object]>([
    [
      "is checked by it, under the code of the refinement",
      z
        .string()
        .refine(startsWithA, { params: { code: "no-a" } })
        .meta({ pattern: "^a" }),
      { is: "pattern", text: "^a", code: "no-a", last: true },
    ],
    [
      "is found through descriptions and clones",
      z.string().refine(startsWithA).meta({ maxLength: 3 }).describe("Short.").optional(),
      { is: "max-size", limit: 3, code: "invalid" },
    ],
    [
      "may exclude values",
      z
        .string()
        .refine(startsWithA)
        .meta({ not: { enum: ["b"] } }),
      { is: "none-of", values: ["b"] },
    ],
    [
      "may be Synap's own time",
      z.string().refine(startsWithA).meta({ pattern: TIMESTAMP_FORM }),
      { is: "moment" },
    ],
  ])("%s", (_name, schema, rule) => {
    const { plan } = compileCheck(z.strictObject({ a: schema }));
    expect(plan?.flatMap((node) => node.rules ?? [])).toEqual([expect.objectContaining(rule)]);
  });
});
