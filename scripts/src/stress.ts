#!/usr/bin/env node
// npx -y pnpm@12 stress: lets the store prove on your own database that it loses, repeats and disorders nothing.
import { runStressCommand } from "./stress-command.ts";

await runStressCommand();
