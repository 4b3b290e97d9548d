import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DATA_DIRECTORY_FORMAT } from "./format.ts";
import { loadOrCreateToken, tokenPath } from "./kept-token.ts";
import { openDataDirectory } from "./open-data-directory.ts";

const holderScript = fileURLToPath(new URL("hold-data-directory.ts", import.meta.url));
const open = (path: string) =>
  openDataDirectory({ path, release: "0.1.0", urls: { API: "http://127.0.0.1:1" } });

let path: string;
let children: ChildProcess[];

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "synap-data-directory-"));
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(path, { recursive: true, force: true });
});

/** Starts a real process that opens the directory, and resolves with the first thing it says. */
function startHolder(): Promise<{ child: ChildProcess; says: string }> {
  const child = spawn(process.execPath, ["--import", "tsx", holderScript, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return new Promise((resolve) =>
    child.stdout?.once("data", (text) => resolve({ child, says: String(text).trim() })),
  );
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.once("exit", (code) => resolve(code));
  });
}

describe("a data directory", () => {
  it("is created on first use, with a format file that names the release", () => {
    const directory = open(join(path, "new"));
    expect(JSON.parse(readFileSync(join(directory.path, "format.json"), "utf8"))).toEqual({
      format: DATA_DIRECTORY_FORMAT,
      release: "0.1.0",
    });
    directory.close();
  });

  it("may hold the database of createSynap, which writes nothing else", () => {
    mkdirSync(join(path, "database", "pg"), { recursive: true });
    open(path).close();
    rmSync(join(path, "format.json"));
    writeFileSync(join(path, "database", "notes.txt"), "mine");
    expect(() => open(path)).toThrow(/holds "database" and no format\.json/);
  });

  it("refuses a second process with an error that names the first", async () => {
    const first = await startHolder();
    expect(first.says).toBe("open");
    const second = await startHolder();
    expect(second.says).toContain(`in use by process ${first.child.pid}, since 20`);
    expect(second.says).toContain("API: http://127.0.0.1:3400");
    expect(second.says).toContain(path);
    expect(await ended(second.child)).toBe(1);
  });

  it("is released when its process stops", async () => {
    const first = await startHolder();
    first.child.kill("SIGTERM");
    expect(await ended(first.child)).toBe(0);
    open(path).close();
    open(path).close();
  });

  it("is taken over from a process that was killed", async () => {
    const first = await startHolder();
    first.child.kill("SIGKILL");
    await ended(first.child);
    expect((await startHolder()).says).toBe("open");
  });

  it("goes to exactly one of several concurrent processes, after a kill and when it is new", async () => {
    for (let round = 0; round < 2; round++) {
      const racers = await Promise.all(Array.from({ length: 4 }, startHolder));
      const winners = racers.filter((racer) => racer.says === "open");
      expect(winners).toHaveLength(1);
      for (const racer of racers) {
        if (racer !== winners[0]) expect(racer.says).toContain(`in use by process ${winners[0]?.child.pid},`);
        racer.child.kill("SIGKILL");
        await ended(racer.child);
      }
    }
  });

  it("of a newer release is refused before anything in it is changed", () => {
    writeFileSync(
      join(path, "format.json"),
      JSON.stringify({ format: DATA_DIRECTORY_FORMAT + 1, release: "9.0.0" }),
    );
    expect(() => open(path)).toThrow(/written by Synap 9\.0\.0 .* This is Synap 0\.1\.0/);
    expect(readdirSync(path)).toEqual(["format.json"]);
  });

  it("is not created in a folder with other files, or with a broken format file", () => {
    mkdirSync(join(path, "photos"));
    expect(() => open(path)).toThrow(/not a Synap data directory: it holds "photos"/);
    rmSync(join(path, "photos"), { recursive: true });
    writeFileSync(join(path, "format.json"), "{");
    expect(() => open(path)).toThrow(/can't be read as Synap's format file/);
  });

  it("keeps one token for each purpose, readable by its owner only", () => {
    const directory = open(path);
    const names = ["inngest-event-key", "inngest-signing-key"] as const;
    const tokens = names.map((name) => {
      const token = loadOrCreateToken(path, name);
      expect(token).toMatch(/^[0-9a-f]{64}$/);
      expect(loadOrCreateToken(path, name)).toBe(token);
      expect(statSync(tokenPath(path, name)).mode & 0o777).toBe(0o600);
      return token;
    });
    expect(new Set(tokens).size).toBe(names.length);
    expect(readdirSync(path).filter((name) => name.includes("draft"))).toEqual([]);
    directory.close();
  });

  it("may hold keys before it is opened for the first time: the local broker by itself keeps its own there", () => {
    const fresh = join(path, "fresh");
    const key = loadOrCreateToken(fresh, "inngest-signing-key");
    expect(statSync(fresh).mode & 0o777).toBe(0o700);
    open(fresh).close();
    expect(loadOrCreateToken(fresh, "inngest-signing-key")).toBe(key);
  });

  it("returns the same token to processes that create it concurrently", async () => {
    const script = `
      import { loadOrCreateToken } from ${JSON.stringify(new URL("kept-token.ts", import.meta.url).href)};
      process.stdout.write("ready\\n");
      process.stdin.once("data", () => {
        process.stdout.write(loadOrCreateToken(${JSON.stringify(path)}, "inngest-signing-key"));
        process.exit(0);
      });`;
    const racers = Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      children.push(child);
      let said = "";
      child.stdout?.on("data", (chunk) => {
        said += String(chunk);
      });
      return { child, said: () => said };
    });
    await expect.poll(() => racers.every(({ said }) => said().startsWith("ready"))).toBe(true);
    for (const { child } of racers) child.stdin?.write("go");
    await Promise.all(racers.map(({ child }) => ended(child)));
    const tokens = new Set(racers.map(({ said }) => said().replace("ready\n", "")));
    expect([...tokens]).toEqual([readFileSync(tokenPath(path, "inngest-signing-key"), "utf8").trim()]);
  });
});
