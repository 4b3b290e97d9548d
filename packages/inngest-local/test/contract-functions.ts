import { setTimeout as sleep } from "node:timers/promises";
import { type Inngest, type InngestFunction, NonRetriableError, RetryAfterError } from "inngest";

/** Observations that the functions below record. */
export interface Note {
  readonly what: string;
  readonly details: Record<string, unknown>;
  readonly at: number;
}

/** Creates the functions of the contract. Every event name begins with `prefix`, which keeps test runs apart. */
export function contractFunctions(
  client: Inngest,
  prefix: string,
  note: (what: string, details?: Record<string, unknown>) => void,
): InngestFunction.Any[] {
  const on = (name: string) => [{ event: `${prefix}/${name}` }];
  const inFlight = new Map<string, number>();
  const occupy = async (group: string, milliseconds: number) => {
    inFlight.set(group, (inFlight.get(group) ?? 0) + 1);
    note("occupied", { group, together: inFlight.get(group) });
    await sleep(milliseconds);
    inFlight.set(group, (inFlight.get(group) ?? 1) - 1);
  };
  return [
    client.createFunction({ id: "plain", triggers: on("plain") }, async ({ event, runId, attempt }) => {
      note("plain", { event, runId, attempt });
      return { seen: event.data.k };
    }),
    client.createFunction(
      { id: "finished", triggers: [{ event: "inngest/function.finished" }] },
      async ({ event }) => {
        const data: Record<string, unknown> = event.data;
        if (String(data["function_id"]).startsWith(`${client.id}-`)) note("finished", data);
      },
    ),
    client.createFunction({ id: "steps", triggers: on("steps") }, async ({ event, step }) => {
      note("steps called", { k: event.data.k });
      const a = await step.run("a", () => {
        note("step a", { k: event.data.k });
        return { v: 1 };
      });
      await step.sleep("nap", "1s");
      const nothing = await step.run("nothing", () => undefined);
      const b = await step.run("b", () => {
        note("step b", { k: event.data.k });
        return a.v + 1;
      });
      return { a, b, nothing: nothing ?? null };
    }),
    client.createFunction(
      { id: "classic", triggers: on("classic"), checkpointing: false },
      async ({ step }) => {
        const a = await step.run("a", () => 1);
        return a + (await step.run("b", () => 2));
      },
    ),
    client.createFunction(
      { id: "flaky-step", triggers: on("flaky-step"), retries: 3 },
      async ({ step, attempt }) => {
        await step.run("sure", () => note("sure step"));
        return await step.run("flaky", () => {
          note("flaky step", { attempt });
          if (attempt < 2) throw new Error(`attempt ${attempt}`);
          return attempt;
        });
      },
    ),
    client.createFunction(
      {
        id: "exhausted",
        triggers: on("exhausted"),
        retries: 1,
        onFailure: ({ error, event }) =>
          note("onFailure", { message: error.message, event: event.data.event }),
      },
      async ({ attempt }) => {
        note("exhausted", { attempt });
        throw new Error(`gave up at ${attempt}`);
      },
    ),
    client.createFunction(
      { id: "retry-after", triggers: on("retry-after"), retries: 2 },
      async ({ attempt }) => {
        note("retry-after", { attempt });
        if (attempt === 0) throw new RetryAfterError("later", 3_000);
        return attempt;
      },
    ),
    client.createFunction(
      {
        id: "never",
        triggers: on("never"),
        onFailure: ({ error, event }) => {
          note("never failed", {
            name: error.name,
            message: error.message,
            cause: error.cause,
            event: event.data.event,
          });
        },
      },
      async ({ attempt }) => {
        note("never", { attempt });
        throw new NonRetriableError("never again", { cause: new Error("the cause") });
      },
    ),
    client.createFunction({ id: "caught", triggers: on("caught"), retries: 0 }, async ({ step }) => {
      try {
        await step.run("bad", () => {
          throw new Error("step is bad");
        });
      } catch (error) {
        return await step.run("amends", () => (error instanceof Error ? error.message : "?"));
      }
    }),
    client.createFunction({ id: "until", triggers: on("until") }, async ({ step }) => {
      const from = await step.run("from", () => Date.now());
      await step.sleepUntil("then", new Date(from + 1_500));
      return (await step.run("to", () => Date.now())) - from;
    }),
    client.createFunction({ id: "sender", triggers: on("sender") }, async ({ event, step }) => {
      const { ids } = await step.sendEvent("send", [
        { name: `${prefix}/plain`, data: { k: `${event.data.k}-1` } },
        { name: `${prefix}/plain`, data: { k: `${event.data.k}-2` } },
      ]);
      return ids.length;
    }),
    client.createFunction({ id: "parallel", triggers: on("parallel") }, async ({ step }) => {
      const together = await Promise.all([
        step.run("p1", () => note("parallel step", { step: 1 })).then(() => step.run("p1b", () => "p1b")),
        step.run("p2", () => note("parallel step", { step: 2 })).then(() => 2),
        step.sleep("p3", "1s"),
      ]);
      return [...together, await step.run("after", () => "after")];
    }),
    client.createFunction(
      { id: "parallel-flaky", triggers: on("parallel-flaky"), retries: 2 },
      async ({ step, attempt }) => {
        return await Promise.all([
          step.run("good", () => note("parallel good")).then(() => "good"),
          step.run("flaky", () => {
            if (attempt < 1) throw new Error("not yet");
            return `flaky ${attempt}`;
          }),
        ]);
      },
    ),
    client.createFunction({ id: "one-by-one", triggers: on("one-by-one"), concurrency: 1 }, () =>
      occupy("one", 150),
    ),
    client.createFunction({ id: "wild", triggers: [{ event: `${prefix}/wild.*` }] }, async ({ event }) =>
      note("wild", { name: event.name }),
    ),
    client.createFunction(
      {
        id: "choosy",
        triggers: [
          { event: `${prefix}/choosy`, if: "event.data.n > 2 && event.data.kind == 'good'" },
          { event: `${prefix}/choosy`, if: "event.data.always == true" },
        ],
      },
      async ({ event }) => note("choosy", { n: event.data.n }),
    ),
  ];
}
