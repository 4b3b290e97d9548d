#!/usr/bin/env node
// Bundled, this is how the first API key is made where there is a container and no installation.
import { commandOf } from "@synap/service/called-as";
import { keysCommand } from "./keys.ts";
import { runProgram, setUpCommand } from "./terminal/program.ts";

await runProgram(setUpCommand(keysCommand(), (args) => commandOf("keys", args)));
