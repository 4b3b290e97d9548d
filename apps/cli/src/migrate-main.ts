#!/usr/bin/env node
// Bundled, this is the command of the one-shot container that runs before the API and the worker.
import { commandOf } from "@synap/service/called-as";
import { migrateCommand } from "./migrate.ts";
import { runProgram, setUpCommand } from "./terminal/program.ts";

await runProgram(setUpCommand(migrateCommand(), (args) => commandOf("migrate", args)));
