import { EventEmitter } from "node:events";
import { type DatabaseOptions, migrate, openDatabase } from "@synap/database";
import { storeStatistics } from "@synap/database/internal";
import type { IEventHandler } from "@synap/handlers";
import { surviveUnhandledFailures } from "@synap/handlers/internal";
import { createLogger } from "@synap/service";
import { engineOn } from "@synap/synap/testing/engine-on.ts";
import type { SynapEvent } from "@synap/types";
import { Inngest } from "inngest";
import { readWorkerConfiguration, startWorker } from "../src/index.ts";

// A worker as a process of its own, with a handler that leaves failures behind as each event asks for. Its parent sends
// events, which are appended, and gets the status back on request.

/** A message from the parent process. */
export type WorkerRequest =
  | { readonly kind: "append"; readonly event: SynapEvent }
  | { readonly kind: "status" }
  | { readonly kind: "own exception" }
  | { readonly kind: "signal" };

/** An emitter that is no handler's, as a driver's is. */
const outside = new EventEmitter();

const carelessness: Readonly<Record<string, () => void>> = {
  "rejects a promise": () => void Promise.reject(new Error("nobody awaits this")),
  "rejects a promise later": () =>
    void new Promise((_resolve, reject) => setTimeout(() => reject(new RangeError("much later")), 5)),
  "rejects with anything": () => void Promise.reject(Object.create(null)),
  "throws in a timer": () => void setTimeout(() => throwError("in a timer"), 1),
  "throws in a microtask": () => queueMicrotask(() => throwError("in a microtask")),
  "throws in a tick": () => process.nextTick(() => throwError("in a tick")),
  "throws in an event": () => {
    const emitter = new EventEmitter();
    setImmediate(() => emitter.emit("error", new Error("nobody listens")));
  },
  "throws in a listener": () => void outside.once("signal", () => throwError("in a listener of ours")),
  "fetches and forgets": () => void fetch("http://127.0.0.1:1/"),
};

function throwError(message: string): never {
  throw new Error(message);
}

const careless = (name: string, mode: "inline" | "async"): IEventHandler => ({
  name,
  description: "Leaves failures behind.",
  eventTypes: ["note.creation.requested"],
  mode,
  handle: async (events) => {
    for (const { data } of events) carelessness[String(data["content"])]?.();
  },
});

const options: DatabaseOptions = JSON.parse(process.env["CARELESS_DATABASE"] ?? "");
const logger = createLogger("worker", process.env);
const failures = surviveUnhandledFailures({ logger });
const database = await openDatabase(options);
await migrate(database);
failures.recordIn(database);
const engine = await engineOn(database, {
  handlers: [careless("careless-inline", "inline"), careless("careless-async", "async")],
  projections: [],
});
await startWorker({
  configuration: readWorkerConfiguration({ SYNAP_WORKER_PORT: "0" }),
  engine,
  inngest: new Inngest({ id: "careless", isDev: true }),
  logger,
});

process.on("message", async (request: WorkerRequest) => {
  if (request.kind === "own exception") {
    setImmediate(() => throwError("a bug of ours"));
    return;
  }
  if (request.kind === "signal") {
    setImmediate(() => outside.emit("signal"));
    return;
  }
  if (request.kind === "append") await engine.dispatcher.store.append(request.event);
  process.send?.(request.kind === "status" ? await storeStatistics(database) : { appended: true });
});
process.on("disconnect", () => process.exit(0));
process.send?.({ ready: true });
