import { runProcess } from "@synap/service";
import { runWorker } from "./run-worker.ts";

// Runs the worker as a separate process. The embedded default runs it inside `npm start` instead.
await runProcess("worker", runWorker);
