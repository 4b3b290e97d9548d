import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { runCommand } from "../src/processes/run-command.ts";

const demoDirectories = () => readdirSync(tmpdir()).filter((name) => name.startsWith("synap-demo-"));

describe("npx -y pnpm@12 demo", () => {
  it("stores every earthquake, prints what a person wants to see, and cleans up", async () => {
    const before = demoDirectories();
    const command = runCommand("scripts/src/demo.ts");
    expect(await command.ended).toBe(0);
    const text = command.stdout();
    expect(text).toContain("1,707 events in, 1,707 events stored (USGS All Earthquakes, Past Week)");
    expect(text).toMatch(/until every event could be queried: [\d,]+ events\/s/);
    expect(text).toMatch(/^publish .* m?s +.* m?s +.* m?s$/m);
    expect(text).toMatch(/^end to end .* m?s$/m);
    expect(text).toMatch(/^ {2}2018-02-04 █{40} +301$/m);
    expect(text).toMatch(
      /the strongest five\n {2}M 6\.4 {2}2018-02-06 15:50 {2}22km NNE of Hualian, Taiwan\n/,
    );
    expect(command.output()).toContain("100 % 1,707 lines");
    expect(demoDirectories().filter((name) => !before.includes(name))).toEqual([]);
  });

  it("stays up with --keep and prints its address, until it is stopped", async () => {
    const command = runCommand("scripts/src/demo.ts", ["--keep"]);
    const [, url = ""] = await command.waitFor(/^ {2}API +(http:\S+)$/m, 60_000);
    const response = await fetch(`${url}/api/v1/events?type=earthquake.recorded&limit=1`);
    expect(JSON.parse(await response.text()).events).toHaveLength(1);
    command.child.kill("SIGINT");
    expect(await command.ended).toBe(0);
  });
});
