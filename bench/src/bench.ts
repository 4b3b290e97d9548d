#!/usr/bin/env node
// npx -y pnpm@12 bench [names...]: measures everything and writes a report. `--help` tells the rest.
import { benchmarks } from "./benchmarks.ts";
import { runBenchCommand } from "./running/bench-command.ts";

await runBenchCommand(benchmarks);
