#!/usr/bin/env node
import { migrate, openDatabase } from "@synap/database";
import { Command } from "commander";
import { startInngest } from "./synap/inngest.ts";
import { createLogger } from "./synap/logger.ts";
import { reservePorts } from "./synap/ports.ts";
import { endOnSignal, portOption, printFailure } from "./terminal/command.ts";

const program = new Command("inngest-local")
  .description(
    "Runs the stand-in for the Inngest server as a process of its own, with its queue in the database at DATABASE_URL.\n" +
      "For trying out and testing separate processes on one machine; production uses Inngest itself.",
  )
  .option("--port <port>", "where it listens; 0 takes any free port", portOption, 8288)
  .option("--app <url>", "where the worker serves its functions", "http://127.0.0.1:3401/api/inngest")
  .option("--retry-ms <ms...>", "the waits between attempts in milliseconds, instead of Inngest's own")
  .option("--verbose", "show everything it does", false)
  .action(run);

await program.parseAsync();

async function run(options: {
  port: number;
  app: string;
  retryMs?: string[];
  verbose: boolean;
}): Promise<void> {
  const url = process.env["DATABASE_URL"];
  if (!url) {
    console.error("DATABASE_URL is not set: the stand-in keeps its queue in a database.");
    process.exit(1);
  }
  const stopping = new AbortController();
  try {
    const host = "127.0.0.1";
    const [port = 0] = await reservePorts([{ name: "stand-in", port: options.port, option: "--port" }], host);
    const database = await openDatabase({ url });
    await migrate(database);
    const server = await startInngest({
      choice: "stand-in",
      database,
      databaseUrl: url,
      host,
      port,
      appUrl: options.app,
      logger: createLogger("inngest-local", options.verbose ? "debug" : "info"),
      signal: stopping.signal,
      ...(options.retryMs === undefined ? {} : { retryDelays: options.retryMs.map(Number) }),
    });
    // Before that, an event would find no function to start.
    await server.ready();
    console.log(`inngest-local listens on ${server.url} and calls ${options.app}`);
    endOnSignal(async () => {
      await server.stop();
      await database.close();
    });
  } catch (error) {
    printFailure(error);
    process.exit(1);
  }
}
