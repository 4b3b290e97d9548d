#!/usr/bin/env node
import { runCli } from "./operating/run-cli.ts";

await runCli(process.argv.slice(2));
