import { createSynapClient, isProblem, type Resource, SynapProblem } from "@synap/client";

/** The types of an application as a program writes them that can't import its config. */
interface Lamps {
  readonly catalogue: { readonly eventTypes?: { "lamp.switched": { on: boolean } } };
  readonly parts?: {
    readonly handlers: "porter";
    readonly projections: "lamp-rows";
    readonly aggregates: {
      readonly decider: {
        readonly name: "lamp";
        evolve(state: { on: boolean }, event: never): { on: boolean };
        decide(command: { type: "switch"; data: { on: boolean } }, state: { on: boolean }): unknown;
      };
      readonly path: "lamps";
    };
    readonly readModels: never;
  };
}

const synap = createSynapClient<Lamps>({ url: "http://127.0.0.1:3400" });

/** Switches a lamp, as a page would, and waits until the list shows it. */
async function switchLamp(id: string, on: boolean): Promise<number> {
  try {
    const { state, version } = await synap
      .aggregates({ type: "lamp", path: "lamps" })
      .execute(id, { type: "switch", data: { on } });
    state.on satisfies boolean;
    for await (const event of synap.readStream({ aggregateType: "lamp", aggregateId: id })) {
      event.type satisfies "lamp.switched";
      await synap.waitFor(event.position, "lamp-rows", { signal: AbortSignal.timeout(5_000) });
    }
    return version;
  } catch (error) {
    if (isProblem(error, "optimistic-lock")) return error.problem.actualVersion;
    if (error instanceof SynapProblem && error.code === "command-refused") return -1;
    throw error;
  }
}

/** Nothing here runs: each line below a comment must be refused by the declarations of the client alone. */
export async function refused(status: Resource<"Status">): Promise<void> {
  // @ts-expect-error a misspelt field of the event
  await synap.publish({ type: "lamp.switched", data: { onn: true } });
  // @ts-expect-error a misspelt event type
  await synap.publish({ type: "lamp.swiched", data: { on: true } });
  // @ts-expect-error a misspelt projection
  await synap.waitFor(1, "lamp-row");
  // @ts-expect-error a misspelt command
  await synap.aggregates({ type: "lamp", path: "lamps" }).execute("l", { type: "swich", data: { on: true } });
  // @ts-expect-error a misspelt member of the status
  status.events.stord.toFixed();
  // @ts-expect-error a code that no problem has
  isProblem(undefined, "optimistic-lok");
  for await (const { data } of synap.query({ type: "lamp.switched" })) {
    // @ts-expect-error a misspelt field of the data
    data.onn;
  }
}

Object.assign(globalThis, { switchLamp });
