import { expect, it } from "vitest";
import { runCommand } from "../src/processes/run-command.ts";

// A run in which every promise is kept is a step of .ci/run of its own: it takes a minute.
it("stress --chaos names the server that it was given and cannot reach", async () => {
  const command = runCommand("scripts/src/stress.ts", ["--chaos", "--seconds", "1"], {
    env: { DATABASE_URL: "postgres://postgres@127.0.0.1:1/nothing" },
  });
  expect(await command.ended).toBe(1);
  expect(command.output()).toMatch(/127\.0\.0\.1:1/);
});
