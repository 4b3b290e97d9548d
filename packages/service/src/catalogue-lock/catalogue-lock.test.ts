import { createEventCatalogue, defineEventType, type EventTypeDefinition } from "@synap/types";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { CatalogueLockError, checkCatalogue, lockCatalogue, readLock, writeLock } from "./index.ts";

const description = "A customer placed an order.";
const name = "order.placed";
const order = { customer: z.string(), total: z.number() };
const example = { customer: "ada", total: 12.5 };
const placed = defineEventType({ name, description, schema: z.strictObject(order), example });

const lockOf = (...types: readonly EventTypeDefinition[]) => readLock(writeLock(lockCatalogue({ types })));

/** The check of the first type. */
function check(locked: EventTypeDefinition, coded: EventTypeDefinition | undefined) {
  const [result] = checkCatalogue(lockOf(locked), createEventCatalogue(coded === undefined ? [] : [coded]));
  if (result === undefined) throw new TypeError("There is no result.");
  const brief = ({ verdict, findings }: typeof result.oldData) => [
    verdict,
    ...findings.map(({ kind, version, pointer }) => `${kind} ${version} ${pointer}`),
  ];
  return { ...result, old: brief(result.oldData), new: brief(result.newData) };
}

describe("the lock of a catalogue", () => {
  const other = defineEventType({
    name: "order.paid",
    description,
    schema: z.strictObject({ at: z.string() }),
    example: { at: "" },
  });

  it("has the same bytes in whatever order types and fields are defined", () => {
    const turned = z.strictObject({ total: order.total, customer: order.customer });
    const same = defineEventType({
      name,
      description: "Other words.",
      schema: turned,
      example: { total: 12.5, customer: "ada" },
    });
    expect(writeLock(lockCatalogue({ types: [placed, other] }))).toBe(
      writeLock(lockCatalogue({ types: [other, same] })),
    );
  });

  it.each(["", "[]", "{}", '{"format":2,"types":{}}', '{"format":1,"types":{"a.b":{"version":1}}}'])(
    "is refused as %s",
    (text) => {
      expect(() => readLock(text)).toThrow(CatalogueLockError);
    },
  );
});

describe("a catalogue against its lock", () => {
  it("is compatible if nothing was changed", () => {
    expect(check(placed, placed)).toMatchObject({
      change: "unchanged",
      old: ["compatible"],
      new: ["compatible"],
    });
  });

  it("takes old data with a further optional field, which old consumers refuse", () => {
    const schema = z.strictObject({ ...order, note: z.string().optional() });
    const result = check(placed, defineEventType({ name, description, schema, example }));
    expect(result).toMatchObject({
      change: "changed",
      old: ["compatible"],
      new: ["needs-new-type", "break 1 /note"],
    });
    const [{ document } = {}] = result.newData.findings;
    expect([schema.safeParse(document).success, placed.schema.safeParse(document).success]).toEqual([
      true,
      false,
    ]);
  });

  it("needs an upcaster for a field of another type, by pointer and with a document", () => {
    const schema = z.strictObject({ ...order, total: z.string() });
    const result = check(
      placed,
      defineEventType({ name, description, schema, example: { customer: "ada", total: "1" } }),
    );
    expect(result.old).toEqual(["needs-upcaster", "break 1 /total"]);
    const [{ document } = {}] = result.oldData.findings;
    expect([placed.schema.safeParse(document).success, schema.safeParse(document).success]).toEqual([
      true,
      false,
    ]);
  });

  const cents = z.strictObject({ cents: z.int() });
  const raised = (
    up: (data: z.output<typeof placed.schema>) => { cents: number },
    first = z.strictObject(order),
  ) =>
    defineEventType({
      name,
      description,
      version: 2,
      schema: cents,
      example: { cents: 1250 },
      upcast: {
        1: { schema: first, up: up as (data: { customer: string; total: number }) => { cents: number } },
      },
    });

  it("is read through the steps of a further version, which documents are tried with", () => {
    const result = check(
      placed,
      raised(({ total }) => ({ cents: Math.round(Number(total) * 100) })),
    );
    expect(result.old).toEqual(["upcast"]);
    expect(result.oldData.tried).toBeGreaterThan(50);
    expect(result.new).toContain("needs-new-type");
    expect(result.new).toContain("break 2 ");
  });

  it("needs another upcaster if a step makes data that the version refuses, or throws", () => {
    const wrong = check(
      placed,
      raised(({ total }) => ({ cents: Number(total) * 100 + 0.5 })),
    );
    expect(wrong.old).toEqual(["needs-upcaster", "break 1 /cents"]);
    const throws = check(
      placed,
      raised(({ total }) => {
        if (Number(total) < 0) throw new Error("negative");
        return { cents: Math.round(Number(total) * 100) };
      }),
    );
    expect(throws.old).toEqual(["needs-upcaster", "break 1 "]);
    expect(throws.oldData.findings[0]?.reason).toContain("negative");
  });

  it("needs its earlier versions as they were, and all of them", () => {
    const narrower = z.strictObject({ ...order, total: z.number().min(0) });
    const steps = ({ total }: { total: unknown }) => ({ cents: Math.round(Number(total) * 100) });
    expect(check(raised(steps), raised(steps, narrower)).old).toEqual(["needs-upcaster", "break 1 /total"]);
    expect(check(raised(steps), placed).old).toEqual(["needs-upcaster", "break 2 "]);
  });

  it("needs a new type for other streams, and names what was removed and added", () => {
    const moved = defineEventType({
      name,
      description,
      aggregateType: "cart",
      schema: z.strictObject(order),
      example,
    });
    expect(check(placed, moved).old).toEqual(["needs-new-type", "break 1 "]);
    expect(check(placed, undefined)).toMatchObject({ change: "removed", old: ["removed", "break 1 "] });
    expect(checkCatalogue(lockOf(), { types: [placed] })).toMatchObject([
      { change: "added", oldData: { verdict: "compatible" } },
    ]);
  });

  it("doesn't decide about a rule in code that was changed, and breaks where a document shows it", () => {
    const ruled = (total: z.ZodNumber) =>
      defineEventType({ name, description, schema: z.strictObject({ ...order, total }), example });
    const even = () => z.number().refine((value) => value % 2 !== 1);
    expect(check(ruled(even()), ruled(even())).old).toEqual(["compatible"]);
    expect(check(placed, ruled(even())).old).toEqual(["needs-upcaster", "break 1 /total"]);
    expect(check(placed, ruled(z.number().refine((value) => value !== 1e6 + 0.1))).old).toEqual([
      "undecided",
      "undecided 1 /total",
    ]);
    // The lock's own rule, which is not there to ask, may have refused the document as well.
    expect(check(ruled(even()), ruled(z.number().max(20))).old).toEqual(["undecided", "undecided 1 /total"]);
    // It has nothing to do with another field, and lets the example pass.
    const longer = z.strictObject({ ...order, customer: z.string().min(3), total: even() });
    expect(check(ruled(even()), defineEventType({ name, description, schema: longer, example })).old).toEqual(
      ["needs-upcaster", "break 1 /customer"],
    );
  });
});
