import { syncBuiltinESMExports } from "node:module";
import workerThreads from "node:worker_threads";

// Loaded with --import before a program: SIGUSR2 ends the thread of the embedded engine, as a trap inside it does. No
// program of ours can be asked to do that.
const { Worker } = workerThreads;
workerThreads.Worker = class extends Worker {
  constructor(file, options) {
    super(file, options);
    if (String(file).includes("pglite-thread")) process.once("SIGUSR2", () => this.terminate());
  }
};
syncBuiltinESMExports();
