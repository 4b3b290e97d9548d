#!/usr/bin/env node
// npx -y pnpm@12 bench [names...]: measures everything and writes a report. See `--help`.
import { benchmarks } from "./benchmarks.ts";
import { runBenchCommand } from "./running/bench-command.ts";

await runBenchCommand(benchmarks);
