import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createApiKey, writeKeyToken } from "@synap/database/internal";
import { EventDispatcher } from "@synap/handlers/internal";
import { defaultApplication } from "@synap/synap/internal";
import { seedCatalogue } from "@synap/types";
import { POSITION_HEADER } from "@synap/types/http";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

const projections = defaultApplication.projections.filter(({ name }) =>
  ["tasks-view", "notes"].includes(name),
);

describe("the position of an answer", () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({}, "embedded", { projections });
    await work();
  });
  afterAll(() => api.stop());

  /** A worker that makes one pass of each projection. With the first one the notes become part of every append. */
  async function work(): Promise<void> {
    const { database } = api;
    const dispatcher = new EventDispatcher({ database, catalogue: seedCatalogue, projections });
    for (const { name } of projections) await dispatcher.catchUp(name);
  }

  async function append(stream: string, event: object): Promise<number> {
    const answer = await fetch(`${api.url}/api/v1/streams/${stream}/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ events: [event] }),
    });
    return Number(answer.headers.get(POSITION_HEADER));
  }

  async function read(path: string, headers: Record<string, string> = {}) {
    const answer = await fetch(`${api.url}/api/v1/${path}`, { headers });
    const position = Number(answer.headers.get(POSITION_HEADER) ?? Number.NaN);
    return { status: answer.status, headers: answer.headers, position, body: await answer.text() };
  }

  it("of a read model is that up to which it has everything: of a projection its checkpoint", async () => {
    const id = randomUUID();
    const position = await append(`task/${id}`, { type: "task.created", data: { title: "Call Acme" } });
    const before = await read("tasks");
    expect(before.position).toBeLessThan(position);
    expect(before.body).not.toContain(id);
    await work();
    const after = await read("tasks");
    expect(after.position).toBeGreaterThanOrEqual(position);
    expect(after.body).toContain(id);
  });

  it("of a read model of an inline projection, or over the log, has what is stored", async () => {
    const id = randomUUID();
    const note = { type: "note.creation.completed", userId: "ada", data: { content: "Call Acme" } };
    const position = await append(`note/${id}`, note);
    const day = new Date().toISOString().slice(0, 10);
    for (const path of ["notes?userId=ada", "audit-log", `compliance?from=${day}&to=${day}`]) {
      expect((await read(path)).position, path).toBeGreaterThanOrEqual(position);
    }
  });

  it("is that of what was read, whatever position the request asked for", async () => {
    const stream = `note/${randomUUID()}`;
    const position = await append(stream, {
      type: "note.creation.requested",
      data: { content: "Call Acme" },
    });
    const asked = { [POSITION_HEADER]: "900000000000" };
    const { events } = JSON.parse((await read(`streams/${stream}`)).body);
    const [{ id }] = events;
    for (const path of [`streams/${stream}`, `events/${id}`, `events/${id}?caused=5`, "events"]) {
      expect(await read(path, asked), path).toMatchObject({ status: 200, position });
    }
    // Nothing was read: there is nothing to announce.
    expect((await read("events?type=task.completed", asked)).headers.has(POSITION_HEADER)).toBe(false);
  });

  describe("is waited for with Prefer", () => {
    const after = (position: number, prefer: string) => ({ [POSITION_HEADER]: String(position), prefer });

    it("until the read model has it, also by a user who may not see the status", async () => {
      const key = { id: "fedcba987654", secret: "6".repeat(64) };
      const name = { name: "of ada", kind: "user", principalId: "ada", scopes: ["read"] } as const;
      await createApiKey(api.database, key, name);
      const authorization = `Bearer ${writeKeyToken(key)}`;
      const id = randomUUID();
      const task = { type: "task.created", userId: "ada", data: { title: "Call Acme" } };
      const position = await append(`task/${id}`, task);
      const asked = read("tasks", { ...after(position, "respond-async, Wait=10; x"), authorization });
      await work();
      const answer = await asked;
      expect(answer.status).toBe(200);
      expect(answer.headers.get("preference-applied")).toBe("wait");
      expect(answer.position).toBeGreaterThanOrEqual(position);
      expect((await read("status", { authorization })).body).not.toContain("checkpoint");
      expect((await read("metrics", { authorization })).status).not.toBe(200);
    });

    it("in vain where nothing handles events, and says what is behind and where it stands", async () => {
      await work();
      const { position: reached } = await read("tasks");
      const position = await append(`task/${randomUUID()}`, {
        type: "task.created",
        data: { title: "Call" },
      });
      for (const seconds of [0, 1]) {
        const answer = await read("tasks", after(position, `wait=${seconds}`));
        expect(answer).toMatchObject({ status: 503 });
        expect(answer.headers.get("retry-after")).toBe("1");
        expect(JSON.parse(answer.body)).toMatchObject({
          code: "position-not-reached",
          detail: `The read model "tasks" has not reached position ${position}. "tasks-view" has handled the log up to position ${reached}.`,
        });
      }
    });

    it("no longer than the client is there", async () => {
      const queries = vi.spyOn(api.database, "query");
      try {
        const looks = () => queries.mock.calls.filter(([text]) => text.includes("model_positions")).length;
        const { port, hostname } = new URL(api.url);
        const client = connect(Number(port), hostname);
        client.write(
          `GET /api/v1/tasks HTTP/1.1\r\nhost: ${hostname}:${port}\r\nprefer: wait=10\r\n${POSITION_HEADER}: 900000000000\r\n\r\n`,
        );
        await expect.poll(looks).toBeGreaterThan(2);
        client.destroy();
        // It would look for 10 s, every 100 ms at least.
        const more = async () => {
          const before = looks();
          await sleep(500);
          return looks() - before;
        };
        await expect.poll(more, { timeout: 5_000 }).toBe(0);
      } finally {
        queries.mockRestore();
      }
    });

    it.each([
      ["without a preference", { [POSITION_HEADER]: "900000000000" }],
      ["without a position", { prefer: "wait=10" }],
      ["with one that can't be read", after(900_000_000_000, "wait=soon")],
      ["with another one", after(900_000_000_000, "respond-async, await=10")],
      ["for what is in quotes", after(900_000_000_000, 'foo="a, wait=10"')],
      ["for the parameter of another one", after(900_000_000_000, "foo; wait=10")],
      ["for the second of two", after(900_000_000_000, "wait=soon, wait=10")],
    ])("and not %s", async (_what, headers) => {
      const answer = await read("tasks", headers);
      expect(answer.status).toBe(200);
      expect(answer.headers.has("preference-applied")).toBe(false);
    });
  });
});
