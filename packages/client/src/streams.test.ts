import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { type ScriptedApi, startScriptedApi } from "../test/scripted-api.ts";
import { createSynapClient } from "./index.ts";

let api: ScriptedApi | undefined;
afterEach(() => api?.stop());

const stream = { aggregateType: "note", aggregateId: "n" };

describe("a stream", () => {
  it("is read whole and in order, however many events a page holds", async () => {
    let versions = 0;
    let fits = 1;
    api = await startScriptedApi(({ url }) => {
      const query = new URL(url, "http://x").searchParams;
      const from = Number(query.get("fromVersion") ?? 1);
      const to = Math.min(versions, Number(query.get("toVersion") ?? versions));
      const all = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => ({ streamVersion: from + i }));
      if (query.get("direction") === "backwards") all.reverse();
      // Large events: fewer than were asked for.
      const events = all.slice(0, Math.min(fits, Number(query.get("limit"))));
      return { status: 200, body: { stream, streamVersion: versions, events } };
    });
    const client = createSynapClient({ url: api.url });
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          length: fc.integer({ min: 1, max: 12 }),
          fits: fc.integer({ min: 1, max: 5 }),
          pageSize: fc.integer({ min: 1, max: 7 }),
          fromVersion: fc.integer({ min: 1, max: 14 }),
          toVersion: fc.option(fc.integer({ min: 1, max: 14 }), { nil: undefined }),
          direction: fc.constantFrom("forwards" as const, "backwards" as const),
        }),
        async ({ length, toVersion, ...read }) => {
          versions = length;
          fits = read.fits;
          const seen: number[] = [];
          const bounds = { ...read, ...(toVersion !== undefined && { toVersion }) };
          for await (const { streamVersion } of client.readStream(stream, bounds)) seen.push(streamVersion);
          const expected = Array.from({ length }, (_, i) => i + 1).filter(
            (version) => version >= read.fromVersion && version <= (toVersion ?? length),
          );
          expect(seen).toEqual(read.direction === "forwards" ? expected : expected.reverse());
        },
      ),
    );
  });
});
