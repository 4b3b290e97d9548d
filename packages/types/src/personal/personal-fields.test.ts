import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createEventCatalogue, defineEventType } from "../index.ts";
import { findPersonalFields } from "./personal-fields.ts";
import { personalValues, pointerTo, replaceValues, subjectOf } from "./personal-values.ts";

const of = (subject: string, more: object = {}) => ({ personal: { subject, ...more } });
const text = (subject: string) => z.string().meta(of(subject));
const refusal = (schema: z.ZodType) => {
  try {
    findPersonalFields(schema);
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
  return "accepted";
};

describe("personal fields of a schema", () => {
  it("are found in objects, arrays and optional parts, with the nearest field of the subject's name", () => {
    const schema = z.strictObject({
      userId: z.string(),
      email: text("userId").optional(),
      people: z
        .array(
          z.strictObject({ userId: z.string(), name: text("userId").nullable(), note: text("event.userId") }),
        )
        .optional(),
    });
    expect(findPersonalFields(schema)).toEqual([
      { path: ["email"], subject: { depth: 0, name: "userId" }, masked: "[hidden]" },
      { path: ["people", 0, "name"], subject: { depth: 2, name: "userId" }, masked: "[hidden]" },
      { path: ["people", 0, "note"], subject: { event: "userId" }, masked: "[hidden]" },
    ]);
  });

  it("can be looked up if their values are text, numbers or booleans", () => {
    const schema = z.strictObject({
      email: z
        .string()
        .meta(of("userId", { lookup: true }))
        .optional(),
      age: z
        .int()
        .nullable()
        .meta(of("userId", { masked: 0, lookup: true })),
      note: z.string().meta(of("userId", { lookup: false })),
    });
    expect(findPersonalFields(schema).map(({ lookup = false }) => lookup)).toEqual([true, true, false]);
  });

  it("keep their declaration through later rules", () => {
    expect(findPersonalFields(z.strictObject({ name: text("userId").min(1).max(20) }))).toHaveLength(1);
  });

  it("are none in a schema that contains itself, and are refused inside the part that does", () => {
    const node = z.strictObject({
      name: z.string(),
      get children() {
        return z.array(node).optional();
      },
    });
    expect(findPersonalFields(z.strictObject({ email: text("userId"), tree: node }))).toHaveLength(1);
    const personal = z.strictObject({
      name: text("userId"),
      get children() {
        return z.array(personal).optional();
      },
    });
    expect(refusal(z.strictObject({ tree: personal }))).toContain(
      '"tree.children.[]", which contains itself',
    );
  });

  it.each([
    ["an unknown subject", { name: text("customer") }, 'subject "customer", which is neither'],
    ["an optional subject", { id: z.string().optional(), name: text("id") }, "must not be optional"],
    ["a subject that is no text", { id: z.number(), name: text("id") }, "must be text, and is number"],
    ["a personal subject", { id: text("userId"), name: text("id") }, "must not be personal itself"],
    ["no subject", { name: z.string().meta({ personal: true }) }, "must name the subject"],
    ["a misspelt key", { name: z.string().meta(of("userId", { mask: "" })) }, 'has "mask"'],
    ["a field of a union", { who: z.union([z.strictObject({ name: text("userId") }), z.null()]) }, "union"],
    ["the values of a record", { who: z.record(z.string(), text("userId")) }, "record"],
    [
      "a field inside another",
      { who: z.strictObject({ name: text("userId") }).meta(of("userId")) },
      "inside",
    ],
    ["an email without a masked value", { email: z.email().meta(of("userId")) }, "can't be"],
    ["a look-up by an object", { who: z.json().meta(of("userId", { lookup: true })) }, "can't be looked up"],
    ["a look-up that is no boolean", { who: z.string().meta(of("userId", { lookup: 1 })) }, "true or false"],
    ["a masked value of another type", { age: z.int().meta(of("userId", { masked: "x" })) }, "not satisfy"],
  ])("are refused: %s", (_, shape, reason) => {
    expect(refusal(z.strictObject(shape))).toContain(reason);
  });
});

const messageSent = defineEventType({
  name: "message.sent",
  description: "A person wrote to another.",
  schema: z.strictObject({
    from: z.strictObject({
      id: z.string(),
      email: z.email().meta(of("id", { masked: "hidden@invalid.example" })),
    }),
    body: text("userId"),
    age: z
      .int()
      .meta(of("userId", { masked: 0 }))
      .optional(),
  }),
  example: { from: { id: "a", email: "ada@example.org" }, body: "Hello" },
});
const catalogue = createEventCatalogue([messageSent]);
const data = { from: { id: "a", email: "ada@example.org" }, body: "Hello" };
const sealed = { $sealed: `1.${"A".repeat(60)}`, subject: "a" };

describe("the values of personal fields", () => {
  it("are listed with their subjects, and replaced in a copy", () => {
    const event = { userId: "u", aggregateId: "x", data };
    const values = personalValues(messageSent.personal, data);
    expect(values.map((value) => [pointerTo(value.path), subjectOf(event, value)])).toEqual([
      ["/from/email", "a"],
      ["/body", "u"],
    ]);
    const replaced = replaceValues(
      data,
      values.map(({ path }) => ({ path, value: "x" })),
    );
    expect(replaced).toEqual({ from: { id: "a", email: "x" }, body: "x" });
    expect(data.from.email).toBe("ada@example.org");
  });

  const event = catalogue.createSynapEvent({ type: "message.sent", userId: "u", data });
  const issues = (value: unknown, parse: "safeParseSynapEvent" | "safeParseSealed") => {
    const reading = catalogue[parse](value);
    return reading.ok ? [] : reading.issues.map(({ path, code }) => `${path} ${code}`);
  };

  it("need a subject in the event", () => {
    expect(issues({ ...event, userId: undefined }, "safeParseSynapEvent")).toEqual(["userId missing"]);
    const { from } = data;
    const named = { ...event, data: { ...data, from: { ...from, id: "x".repeat(256) } } };
    expect(issues(named, "safeParseSynapEvent")).toEqual(["data.from.id too-big"]);
  });

  it("may be sealed where events are stored, and nowhere else", () => {
    const stored = { ...event, data: { from: { id: "a", email: sealed }, body: sealed, age: sealed } };
    expect(issues(stored, "safeParseSealed")).toEqual([]);
    expect(issues(stored, "safeParseSynapEvent")).not.toEqual([]);
    expect(
      issues({ ...stored, data: { ...stored.data, from: { id: 1, email: sealed } } }, "safeParseSealed"),
    ).toEqual(["data.from.id wrong-type"]);
    expect(
      issues({ ...stored, data: { ...stored.data, body: { ...sealed, more: 1 } } }, "safeParseSealed"),
    ).toEqual(["data.body wrong-type"]);
  });

  it("are refused in a sealed form that their schema would take", () => {
    const any = defineEventType({
      name: "thing.noted",
      description: "Somebody noted something.",
      schema: z.strictObject({ what: z.json().meta(of("userId")) }),
      example: { what: 1 },
    });
    const open = createEventCatalogue([any]);
    const noted = open.completeEvent({ type: "thing.noted", userId: "u", data: { what: sealed } });
    expect(open.safeParseSynapEvent(noted)).toMatchObject({
      ok: false,
      issues: [{ path: "data.what", code: "not-allowed" }],
    });
    expect(open.safeParseSealed(noted)).toMatchObject({ ok: true });
  });
});
