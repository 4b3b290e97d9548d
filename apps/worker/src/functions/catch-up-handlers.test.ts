import { describeOnEveryEngine } from "@synap/database/testing";
import { type IEventHandler, TransientHandlerError } from "@synap/handlers";
import { defaultApplication } from "@synap/synap/internal";
import { createSynapEvent } from "@synap/types";
import { afterEach, expect, it } from "vitest";
import { z } from "zod";
import { type BrokerAndWorker, startBrokerAndWorker } from "../../testing/broker-and-worker.ts";
import { canonical, signed } from "../../testing/signed-call.ts";
import { catchUpHandler } from "./catch-up-handlers.ts";

const failing: IEventHandler = {
  name: "always-away",
  description: "Cannot reach what it needs.",
  eventTypes: "all",
  mode: "async",
  handle: () => Promise.reject(new TransientHandlerError("the mail server is away")),
};

const stepSchema = z.object({
  op: z.literal("StepRun"),
  id: z.string(),
  displayName: z.string(),
  data: z.unknown(),
});
const responseSchema = z.union([z.array(z.unknown()), z.looseObject({ message: z.string().optional() })]);

const readModels = defaultApplication.projections.map((projection) => projection.name);

/** The steps after those of handlers and projections. */
const others = [
  "inline handlers",
  "compliance figures",
  "hash chain over the log",
  "copies of purged events",
];

describeOnEveryEngine("catch-up-handlers", (engine) => {
  let running: BrokerAndWorker | undefined;
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  /** Calls the function as Inngest does every minute, step after step, and gives the steps and how it ended. */
  async function everyMinute(url: string) {
    const steps: Record<string, { data: unknown }> = {};
    const names: string[] = [];
    for (;;) {
      const call = canonical({
        ctx: { run_id: "run", attempt: 0, stack: { stack: Object.keys(steps), current: names.length } },
        event: { name: "inngest/scheduled.timer", data: { cron: "* * * * *" } },
        events: [],
        steps,
        version: 2,
      });
      const response = await fetch(`${url}/api/inngest?fnId=synap-catch-up-handlers&stepId=step`, {
        method: "POST",
        headers: signed(call),
        body: call,
      });
      const body = responseSchema.parse(await response.json());
      const step = stepSchema.safeParse(Array.isArray(body) ? body[0] : undefined);
      if (!step.success) return { names, status: response.status, body };
      names.push(step.data.displayName);
      steps[step.data.id] = { data: step.data.data };
    }
  }

  it("catches up every asynchronous handler in a step of its name", async () => {
    running = await startBrokerAndWorker(engine.database, { handlers: defaultApplication.handlers });
    const request = createSynapEvent({ type: "note.creation.requested", data: { content: "x" } });
    await running.publish({ events: [request] });
    await expect.poll(() => running?.runs("ingest-events")).toHaveLength(1);
    const { names, body } = await everyMinute(running.url);
    expect(names).toEqual(["note-creation-reactor", ...readModels, ...others]);
    expect(body).toMatchObject([
      // The number of processed events depends on whether the broker's own minute has just come.
      { handler: "note-creation-reactor", deadLettered: 0, state: "caught up" },
      ...readModels.map((handler) => ({ handler, deadLettered: 0, state: "caught up" })),
    ]);
    const rows = await engine.database.query("SELECT content FROM synap_read.notes WHERE id = $1", [
      request.aggregateId,
    ]);
    expect(rows).toEqual([{ content: "x" }]);
  });

  it("continues with the other handlers when one fails, and ends as failed", async () => {
    running = await startBrokerAndWorker(engine.database, {
      handlers: [failing, ...defaultApplication.handlers],
    });
    const { names, status, body } = await everyMinute(running.url);
    expect(names).toEqual(["always-away", "note-creation-reactor", ...readModels, ...others]);
    expect(status).toBe(400);
    expect(body).toMatchObject({
      message: 'always-away: Handler "always-away" failed: the mail server is away',
    });
  });
});

it("a handler that is far behind continues in the next run", async () => {
  const pass = {
    status: "done",
    processed: 500,
    deadLettered: 1,
    retrying: [],
    position: 7,
    caughtUp: false,
  } as const;
  const result = await catchUpHandler({ catchUp: () => Promise.resolve(pass) }, "slow", 3);
  expect(result).toEqual({ handler: "slow", processed: 1500, deadLettered: 3, position: 7, state: "behind" });
});
