import { runProcess } from "@synap/service";
import { runWorker } from "./run-worker.ts";

// The worker as a process of its own. The embedded default runs it inside `npm start` instead.
await runProcess("worker", runWorker);
