import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { earthquakeRecorded } from "../src/demo/earthquake-recorded.ts";
import { createTemporaryDatabase, type TemporaryDatabase } from "../src/performance/temporary-database.ts";
import { createOperatorKey } from "../src/processes/operator-key.ts";
import { type RunningCommand, runSynapCommand } from "../src/processes/run-command.ts";
import { SeparateProcesses } from "../src/processes/separate-processes.ts";

const serverUrl = process.env["TEST_DATABASE_URL"];
const TYPE = "earthquake.recorded";
const NEWER = { SYNAP_CONFIG: "scripts/src/demo/synap.config.ts" };

const quake = (place: string) => ({
  id: randomUUID(),
  type: TYPE,
  aggregateId: place,
  // Sent again, it is the same to the last byte: a broker that knew events by their content would drop it.
  timestamp: new Date().toISOString(),
  data: { ...earthquakeRecorded.example, place },
});
type Quake = ReturnType<typeof quake>;

/** Dead letters, readiness, status and problems; each test looks at what it asked for. */
interface ApiResponse {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly body: any;
}

describe.skipIf(serverUrl === undefined)("a new event type that reaches the API before the worker", () => {
  let temporary: TemporaryDatabase;
  let token: string;
  let processes: SeparateProcesses;
  let worker: RunningCommand;
  let isWorkerUpdated = false;

  beforeAll(async () => {
    temporary = await createTemporaryDatabase(serverUrl, "rollout");
    token = await createOperatorKey(temporary.database);
    processes = await SeparateProcesses.start({
      databaseUrl: temporary.url ?? "",
      fromSource: true,
      environmentOf: (name) => ({
        ...(name === "worker" && !isWorkerUpdated ? {} : NEWER),
      }),
    });
  });
  afterAll(async () => {
    await processes?.stop();
    await temporary?.remove();
  });

  async function ask(url: string, init?: RequestInit): Promise<ApiResponse> {
    const response = await fetch(url, init);
    return { status: response.status, body: JSON.parse(await response.text()) };
  }
  const post = (path: string, body: unknown) =>
    ask(`${processes.apiUrl}/api/v1${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const readiness = async (url = processes.apiUrl) => (await ask(`${url}/readyz`)).body;
  const warnings = async (url?: string): Promise<string[]> => {
    const { warnings: found = [] }: { warnings?: { code: string }[] } = await readiness(url);
    return found.map(({ code }) => code);
  };
  async function synap(...args: string[]): Promise<{ code: number | string; output: string }> {
    const env = { SYNAP_URL: processes.apiUrl, SYNAP_TOKEN: token };
    const command = runSynapCommand(args, { env });
    const code = await command.ended;
    return { code, output: command.output() };
  }
  const deadLetters = async (status: string): Promise<{ id: number; eventId: string; code: string }[]> =>
    JSON.parse((await synap("dead-letters", "list", "--json", "--status", status)).output).deadLetters;
  const isStored = async ({ id }: Quake) =>
    (await ask(`${processes.apiUrl}/api/v1/events/${id}`)).status === 200;
  const eventually = (look: () => Promise<void>) => vi.waitFor(look, { timeout: 60_000, interval: 100 });
  async function startWorker(): Promise<void> {
    worker = processes.run("worker");
    await eventually(async () => expect((await readiness(processes.workerUrl)).status).toBe("ok"));
  }

  const sent = Array.from({ length: 5 }, (_, index) => quake(`place ${index}`));

  it("is refused for now, and everybody says which type and which process", async () => {
    for (const url of [processes.apiUrl, processes.workerUrl]) {
      await eventually(async () => expect(await warnings(url)).toEqual(["event-types-differ"]));
    }
    const { warnings: found } = await readiness();
    expect(found[0].detail).toMatch(new RegExp(`^worker@\\S+ does not know ${TYPE}$`));
    await eventually(async () =>
      expect(processes.outputs()).toMatch(
        /the event types of running processes differ: worker@\S+ does not know/,
      ),
    );
    expect((await synap("status")).output).toMatch(
      new RegExp(`event types +worker@\\S+ does not know ${TYPE}`),
    );

    const { status, body } = await post("/events", quake("refused"));
    expect([status, body.code]).toEqual([503, "event-type-not-ready"]);
  });

  it("was accepted while no worker ran: an old worker keeps the events, and that is an alarm", async () => {
    await processes.end("worker");
    await eventually(async () => expect(await warnings()).toEqual(["no-worker"]));
    const [single = quake(""), ...others] = sent;
    expect((await post("/events", single)).status).toBe(202);
    expect((await post("/events/batch", others)).status).toBe(202);
    // Sent again by a sender who sees that it is not stored: the dead letter stays one.
    expect((await post("/events", single)).status).toBe(202);
    await startWorker();
    await eventually(async () => expect(await deadLetters("open")).toHaveLength(sent.length));
    expect(new Set((await deadLetters("open")).map(({ code }) => code))).toEqual(
      new Set(["unknown-event-type"]),
    );
    expect(await warnings()).toEqual(["event-types-differ", "accepted-events-not-stored"]);
    expect(await warnings(processes.workerUrl)).toContain("accepted-events-not-stored");
    expect(worker.output()).toContain("1 refused");
    expect((await synap("status")).output).toMatch(
      /not stored +5 open: .*dead-letters list --handler ingest-events/,
    );
    for (const event of sent) expect(await isStored(event)).toBe(false);
  });

  it("is stored by a retry of one dead letter, by the CLI, and closes it with the position", async () => {
    const [deadLetter] = (await deadLetters("open")).filter(({ eventId }) => eventId === sent[1]?.id);
    const { code, output } = await synap("dead-letters", "retry", String(deadLetter?.id));
    expect([code, output]).toEqual([0, expect.stringMatching(/is retried: stored at position \d+\.\n$/)]);
    expect(await isStored(sent[1] ?? quake(""))).toBe(true);
  });

  it("is stored by its sender's next attempt once the worker is updated, and its dead letter closes by itself", async () => {
    await processes.end("worker");
    isWorkerUpdated = true;
    await startWorker();
    const [again = quake("")] = sent;
    await eventually(async () => expect((await post("/events", again)).status).toBe(202));
    await eventually(async () => expect(await isStored(again)).toBe(true));
    await eventually(async () =>
      expect((await deadLetters("retried")).map(({ eventId }) => eventId)).toContain(again.id),
    );
    expect((await post("/events", again)).status).toBe(200);
  });

  it("leaves nothing behind after a retry of all, and no event twice", async () => {
    const { code, output } = await synap("dead-letters", "retry", "--all", "--handler", "ingest-events");
    expect([code, output.match(/stored at position/g)]).toEqual([0, expect.objectContaining({ length: 3 })]);
    for (const event of sent) expect(await isStored(event)).toBe(true);
    const { body } = await ask(`${processes.apiUrl}/api/v1/events?type=${TYPE}`);
    expect(body.events.map(({ id }: Quake) => id).sort()).toEqual(sent.map(({ id }) => id).sort());
    expect(await warnings()).toEqual([]);
    expect(await warnings(processes.workerUrl)).toEqual([]);
    expect((await synap("status")).output).toMatch(/not stored +nothing\n/);
  });
});
