import type { Socket } from "node:net";
import { createEventStore } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import { askWithoutReading } from "@synap/http/testing";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { afterEach, describe, expect, it } from "vitest";
import { readResponse } from "../testing/read-response.ts";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";
import { createTestKey } from "../testing/test-keys.ts";

const TAIL = "/api/v1/events/stream?from=start";
const headers = { authorization: `Bearer ${TOKEN}` };

let api: TestApi;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await api.stop();
});

/** A client that asks for a tail and reads no more than that it has begun. */
async function tailWithoutReading(): Promise<Socket> {
  const socket = await askWithoutReading(`${api.url}${TAIL}`, headers);
  sockets.push(socket);
  return socket;
}

const TAILS = 300;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const ask = async () => readResponse(await fetch(`${api.url}${TAIL}`, { headers }));

describe("tails", () => {
  it("beyond the limit are refused, until one of the open ones ends", async () => {
    api = await startTestApi({ maxTails: 3 });
    const open = [await tailWithoutReading(), await tailWithoutReading(), await tailWithoutReading()];
    const refused = await ask();
    expect(refused).toMatchObject({ status: 503, body: { code: "too-many-tails", limit: 3 } });
    expect(refused.headers.get("retry-after")).toBe("5");
    // Asking what a tail would be like takes no place.
    expect((await fetch(`${api.url}${TAIL}`, { method: "HEAD", headers })).status).toBe(200);
    open[0]?.destroy();
    await expect
      .poll(async () => {
        const leaving = new AbortController();
        const response = await fetch(`${api.url}${TAIL}`, { headers, signal: leaving.signal });
        leaving.abort();
        return response.status;
      })
      .toBe(200);
  });

  it("of one principal are limited too, so that all others can have theirs", async () => {
    api = await startTestApi({ maxTails: 3, maxTailsEach: 1 });
    const [ann, bee] = await Promise.all(["ann", "bee"].map((id) => createTestKey(api.database, "user", id)));
    const status = async (token = "") => {
      const response = await fetch(`${api.url}${TAIL}`, { headers: { authorization: `Bearer ${token}` } });
      const { status: code } = response;
      if (code === 200) held.push(response);
      else expect((await readResponse(response)).body).toMatchObject({ code: "too-many-tails", limit: 1 });
      return code;
    };
    const held: Response[] = [];
    expect([await status(ann), await status(ann), await status(bee)]).toEqual([200, 503, 200]);
    await held[0]?.body?.cancel();
    await expect.poll(() => status(ann)).toBe(200);
    for (const { body } of held.slice(1)) await body?.cancel();
  });

  it.each(testEngines())(
    "that nobody reads leave ordinary requests and appends alone (%s)",
    async (engine) => {
      const warnings: string[] = [];
      const note = ({ name }: Error) => warnings.push(name);
      process.on("warning", note);
      api = await startTestApi({ maxTails: TAILS, maxTailsEach: TAILS }, engine);
      const store = createEventStore({ database: api.database, catalogue: seedCatalogue });
      const round = async () => {
        const from = performance.now();
        const event = createSynapEvent({ type: "note.creation.requested", data: { content: "more" } });
        expect(await store.append(event)).toMatchObject({ status: "stored" });
        expect((await fetch(`${api.url}/api/v1/events/${event.id}`)).status).toBe(200);
        return performance.now() - from;
      };
      const rounds = async () => {
        const times: number[] = [];
        for (let done = 0; done < 20; done += 1) times.push(await round());
        return median(times);
      };
      await rounds();
      const alone = await rounds();
      for (let open = 0; open < TAILS; open += 1) await tailWithoutReading();
      const beside = await rounds();
      process.off("warning", note);
      expect(beside / alone).toBeLessThan(30);
      expect(warnings).not.toContain("MaxListenersExceededWarning");
    },
  );
});
