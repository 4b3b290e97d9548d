import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  completeEvent,
  createSynapEvent,
  parseSynapEvent,
  safeParseSynapEvent,
  seedCatalogue,
} from "../catalogue/seed-catalogue.ts";

const event = createSynapEvent({ type: "note.creation.requested", data: { content: "Hello" } });

describe("the laws of events", () => {
  const json = fc.dictionary(
    fc
      .string({ unit: "grapheme" })
      .filter((key) => key !== "__proto__" && key !== "toJSON" && !key.includes("\0")),
    fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), fc.string({ unit: "grapheme-ascii" })),
  );
  const word = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 60 });
  const inputs = fc
    .record(
      {
        aggregateId: word.filter((id) => id !== "." && id !== ".."),
        userId: word,
        source: word,
        requestId: word,
        correlationId: word,
        causationId: fc.uuid().map((id) => id.toUpperCase()),
        idempotencyKey: word,
        timestamp: fc
          .date({ min: new Date(0), max: new Date("9998-01-01"), noInvalidDate: true })
          .map((date) => date.toISOString().replace("Z", "-03:00")),
        metadata: json,
      },
      { requiredKeys: [] },
    )
    .chain((fields) =>
      fc
        .constantFrom(...seedCatalogue.types)
        .map(({ name, example }) => ({ ...fields, type: name, data: example })),
    );
  const create = (input: unknown) => Reflect.apply(createSynapEvent, undefined, [input]);

  it("an event survives the round trip through JSON", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const made = create(input);
        expect(parseSynapEvent(JSON.parse(JSON.stringify(made)))).toEqual(made);
      }),
    );
  });

  it("parsing is idempotent", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const once = parseSynapEvent(completeEvent(input));
        expect(parseSynapEvent(once)).toEqual(once);
      }),
    );
  });

  it("parsing any value yields an event, or issues with path, code and reason", () => {
    const anyField = fc.dictionary(fc.constantFrom(...Object.keys(event), "extra"), fc.anything());
    fc.assert(
      fc.property(anyField, (fields) => {
        const reading = safeParseSynapEvent({ ...event, ...fields });
        for (const issue of reading.ok ? [] : reading.issues) {
          expect(issue).toEqual({
            path: expect.any(String),
            code: expect.stringMatching(/^[a-z]+(-[a-z]+)*$/),
            reason: expect.stringMatching(/./),
          });
        }
      }),
    );
  });
});
