import specs from "@asyncapi/specs";
import { createEventCatalogue, defineEventType, seedCatalogue } from "@synap/types";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { asyncapiDocument } from "../src/routes/asyncapi-document.ts";
import { startTestApi } from "../testing/start-test-api.ts";
import { unservedApp } from "../testing/unserved-app.ts";

/** A comment with answers, which have the same form. */
const comment = z.object({
  text: z.string(),
  get answers() {
    return z.array(comment).optional();
  },
});
const catalogue = seedCatalogue.extend([
  defineEventType({
    name: "comment.made",
    description: "Somebody commented.",
    schema: comment,
    example: { text: "well", answers: [{ text: "yes" }] },
  }),
  defineEventType({
    name: "range.priced",
    description: "A price changed.",
    schema: z.strictObject({ range: z.tuple([z.number(), z.number()]), note: z.string().nullable() }),
    example: { range: [1, 2], note: null },
  }),
]);

const documentForm = z.looseObject({
  channels: z.record(
    z.string(),
    z.looseObject({ address: z.string(), messages: z.record(z.string(), z.json()) }),
  ),
  components: z.object({
    messages: z.record(
      z.string(),
      z.looseObject({ examples: z.array(z.object({ payload: z.json() })).optional() }),
    ),
    schemas: z.record(z.string(), z.json()),
  }),
});
const documentOf = (types: Parameters<typeof asyncapiDocument>[0]) =>
  documentForm.parse(asyncapiDocument(types));

/** A check of payloads against the message of this name. */
function payloadCheck(document: z.infer<typeof documentForm>, message: string) {
  const ajv = new Ajv({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema(document, "document");
  return ajv.compile({ $ref: `document#/components/messages/${message}/payload` });
}

describe("the AsyncAPI document", () => {
  it.each([
    ["of no types", createEventCatalogue([])],
    ["of the seeded types", seedCatalogue],
    ["of types with recursive data and tuples", catalogue],
  ])("%s satisfies the schema of AsyncAPI 3.0", (_, types) => {
    const ajv = new Ajv({ strict: false });
    addFormats.default(ajv);
    // The types of the two libraries differ in what may be undefined.
    const isValid = ajv.compile({ ...specs.schemasWithoutId["3.0.0"] } as object);
    isValid(asyncapiDocument(types));
    expect(isValid.errors).toBeNull();
  });

  it("has a message to publish and one to receive for every type, and refers only to what is in it", () => {
    const document = documentOf(catalogue);
    const names = catalogue.types.map(({ name }) => name).sort();
    for (const { messages } of Object.values(document.channels))
      expect(Object.keys(messages).sort()).toEqual(names);
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]*)"/g)].map(
      ([, path]) => path ?? "",
    );
    expect(references.length).toBeGreaterThan(4 * names.length);
    for (const path of references) {
      const target = path
        .split("/")
        .reduce<unknown>((part, key) => z.looseObject({}).parse(part)[key], document);
      expect([path, target]).not.toEqual([path, undefined]);
    }
  });

  it("accepts the example of each type and refuses that of another, and data that the schema refuses", () => {
    const document = documentOf(catalogue);
    for (const { name, example } of catalogue.types) {
      const isValid = payloadCheck(document, `EventInput.${name}`);
      expect(document.components.messages[`EventInput.${name}`]?.examples).toMatchObject([
        { payload: { data: example } },
      ]);
      expect([name, isValid({ type: name, data: example }), isValid.errors]).toEqual([name, true, null]);
      expect(isValid({ type: "other.type", data: example })).toBe(false);
      expect(isValid({ type: name, data: 7 })).toBe(false);
    }
    const isComment = payloadCheck(document, "EventInput.comment.made");
    expect(isComment({ type: "comment.made", data: { text: "a", answers: [{ text: 1 }] } })).toBe(false);
  });

  it("names addresses that the API has", async () => {
    const { paths } = JSON.parse(await (await unservedApp().request("/openapi.json")).text());
    for (const { address } of Object.values(documentOf(catalogue).channels))
      expect(paths).toHaveProperty([address]);
  });

  it("is served, and describes events as they are read", async () => {
    const api = await startTestApi();
    try {
      const response = await fetch(`${api.url}/asyncapi.json`);
      expect(response.status).toBe(200);
      const document = documentForm.parse(await response.json());
      expect(document).toEqual(documentOf(seedCatalogue));
      const appended = await fetch(`${api.url}/api/v1/streams/note/one/events`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ events: [{ type: "note.creation.requested", data: { content: "hi" } }] }),
      });
      expect(appended.status).toBe(201);
      const page = z
        .object({ events: z.array(z.json()) })
        .parse(await (await fetch(`${api.url}/api/v1/events`)).json());
      const isStreamed = payloadCheck(document, "StreamedEvent.note.creation.requested");
      const [event] = page.events;
      expect([isStreamed({ number: 1, after: 0, event }), isStreamed.errors]).toEqual([true, null]);
      expect(isStreamed({ number: 1, after: 0, event: { ...Object(event), type: "other.type" } })).toBe(
        false,
      );
      expect((await fetch(`${api.url}/asyncapi.json?x=1`)).status).toBe(400);
    } finally {
      await api.stop();
    }
  });
});
