#!/usr/bin/env node
import { runCli } from "./operating/run-cli.ts";
import { findProgram } from "./programs.ts";

const [name = "", ...args] = process.argv.slice(2);
const program = findProgram(name);
if (program === undefined) {
  process.exitCode = await runCli(process.argv.slice(2));
} else {
  process.argv.splice(2, process.argv.length, ...args);
  await program.run();
}
