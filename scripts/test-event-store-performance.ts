#!/usr/bin/env node
// npx -y pnpm@12 performance [--embedded] [--events N] [--json]: measures the event store and checks its targets.
import { runPerformanceCommand } from "./src/performance/performance-command.ts";

await runPerformanceCommand();
