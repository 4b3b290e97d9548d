import { runProcess } from "@synap/service";
import { runApi } from "./run-api.ts";

// Runs the API as a separate process. The embedded default runs it inside `npm start` instead.
await runProcess("api", runApi);
