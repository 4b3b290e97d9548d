import { runProcess } from "@synap/service";
import { runApi } from "./run-api.ts";

// The API as a process of its own. The embedded default runs it inside `npm start` instead.
await runProcess("api", runApi);
