// The bench command with benchmarks that take no time to speak of, for the test of the command itself.
import { setTimeout as sleep } from "node:timers/promises";
import { runBenchCommand } from "../src/running/bench-command.ts";
import { exampleFigure, examplePlot } from "./example-report.ts";

const value = Number(process.env["EXAMPLE_VALUE"] ?? 1);

await runBenchCommand([
  {
    name: "sound",
    title: "One that runs",
    run: async ({ serverUrl }) => ({
      figures: [exampleFigure({ value, target: { comparison: "at least", bound: 0.8 } })],
      plots: [examplePlot],
      skipped: serverUrl === undefined ? ["the server: no DATABASE_URL"] : [],
    }),
  },
  ...(process.env["EXAMPLE_FAILS"]
    ? [{ name: "broken", title: "One that fails", run: () => Promise.reject(new Error("no such table")) }]
    : []),
  {
    name: "endless",
    title: "One that ends when it is asked to",
    run: async ({ mode, onProgress, signal }) => {
      onProgress("waiting for the end", 0.5);
      if (mode === "full") await sleep(60_000, undefined, { signal }).catch(() => undefined);
      return { figures: [exampleFigure({ id: "half", unit: "ms" })] };
    },
  },
]);
