import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import {
  type ArchiveDestination,
  ArchiveDestinationError,
  ArchiveFileMissingError,
  InvalidArchiveNameError,
  InvalidArchiveUrlError,
  openArchiveDestination,
} from "../index.ts";

const folder = mkdtempSync(join(tmpdir(), "synap-archive-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let opened = 0;
const kinds: readonly (readonly [string, () => ArchiveDestination])[] = [
  ["folder", () => openArchiveDestination(join(folder, `${opened++}`, "not yet there"))],
];

async function* content(...parts: readonly (string | Error)[]) {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    yield Buffer.from(part);
  }
}

async function text(destination: ArchiveDestination, name: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const bytes of destination.read(name)) parts.push(bytes);
  return Buffer.concat(parts).toString();
}

describe.each(kinds)("a %s as the destination of an archive", (_kind, open) => {
  it("keeps files, in order of their names", async () => {
    const destination = open();
    expect(await destination.list("")).toEqual([]);
    await destination.write("events/b=2.json", content("second"));
    await destination.write("events/a=1.json", content("first ", "", "file"));
    await destination.write("events/Z.json", content());
    await destination.write("manifest.json", content("é"));
    expect(await text(destination, "events/a=1.json")).toBe("first file");
    expect(await text(destination, "events/Z.json")).toBe("");
    expect(await destination.list("")).toEqual([
      { name: "events/Z.json", bytes: 0 },
      { name: "events/a=1.json", bytes: 10 },
      { name: "events/b=2.json", bytes: 6 },
      { name: "manifest.json", bytes: 2 },
    ]);
    expect(await destination.list("events/a")).toEqual([{ name: "events/a=1.json", bytes: 10 }]);
    expect(await destination.list("event/")).toEqual([]);
  });

  it("says which file is missing", async () => {
    const destination = open();
    const error = new ArchiveFileMissingError("a/b.json", destination.url);
    await expect(text(destination, "a/b.json")).rejects.toThrow(error);
    await expect(text(destination, "a/b.json")).rejects.toThrow(ArchiveFileMissingError);
  });

  it("replaces a file as a whole, or keeps the old one", async () => {
    const destination = open();
    await destination.write("a.json", content("old"));
    const broken = new Error("the database went away");
    await expect(destination.write("a.json", content("new", broken))).rejects.toBe(broken);
    await expect(destination.write("b.json", content("new", broken))).rejects.toBe(broken);
    expect(await text(destination, "a.json")).toBe("old");
    expect(await destination.list("")).toEqual([{ name: "a.json", bytes: 3 }]);
    await destination.write("a.json", content("newer"));
    expect(await text(destination, "a.json")).toBe("newer");
  });

  it("shows nothing of a file before it is whole", async () => {
    const destination = open();
    let seen: unknown;
    async function* watched() {
      yield Buffer.from("half");
      seen = await destination.list("");
      yield Buffer.from(" whole");
    }
    await destination.write("a.json", watched());
    expect(seen).toEqual([]);
    expect(await text(destination, "a.json")).toBe("half whole");
  });

  it("removes a file, and one that isn't there", async () => {
    const destination = open();
    await destination.write("a/b.json", content("gone"));
    await destination.remove("a/b.json");
    await destination.remove("a/b.json");
    await destination.remove("never.json");
    expect(await destination.list("")).toEqual([]);
    await expect(text(destination, "a/b.json")).rejects.toThrow(ArchiveFileMissingError);
  });

  it("keeps long files, in pieces of any size", async () => {
    const destination = open();
    const size = 20_000_000;
    const whole = Buffer.alloc(size, "events of many years. ");
    async function* pieces() {
      for (let from = 0, length = 1; from < size; from += length, length = (length * 7) % 3_000_001) {
        yield whole.subarray(from, from + length);
      }
    }
    await destination.write("long", pieces());
    expect(await destination.list("long")).toEqual([{ name: "long", bytes: size }]);
    expect((await text(destination, "long")) === whole.toString()).toBe(true);
  });

  it.each([
    "",
    "/a",
    "a/",
    "a//b",
    "../a",
    "a/../b",
    ".a",
    "a/.b",
    "a b",
    "é",
    "a\\b",
    "a\0",
    "x".repeat(201),
  ])("refuses the name %j", async (name) => {
    const destination = open();
    await expect(destination.write(name, content("x"))).rejects.toThrow(InvalidArchiveNameError);
    await expect(text(destination, name)).rejects.toThrow(InvalidArchiveNameError);
    await expect(destination.remove(name)).rejects.toThrow(InvalidArchiveNameError);
  });
});

describe("a folder", () => {
  it("is a path or a file URL", () => {
    expect(openArchiveDestination("kept/here").url).toBe(
      pathToFileURL(join(process.cwd(), "kept/here")).href,
    );
    expect(openArchiveDestination("file:///var/kept").url).toBe("file:///var/kept");
    expect(() => openArchiveDestination("file://host/kept")).toThrow(InvalidArchiveUrlError);
    expect(() => openArchiveDestination("ftp://host/kept")).toThrow(InvalidArchiveUrlError);
    expect(() => openArchiveDestination("")).toThrow(InvalidArchiveUrlError);
  });

  it("loses what a killed writer left when the file is written again", async () => {
    const path = join(folder, "killed");
    const destination = openArchiveDestination(path);
    await destination.write("a.json", content("1"));
    const left = ".a.json.0b7cd4a4-7f3e-4d2c-8a2e-0d5f9a1c2b3d.partial";
    const others = ".b.json.0b7cd4a4-7f3e-4d2c-8a2e-0d5f9a1c2b3d.partial";
    for (const name of [left, others]) writeFileSync(join(path, name), "half");
    expect(await destination.list("")).toEqual([{ name: "a.json", bytes: 1 }]);
    await destination.write("a.json", content("2"));
    expect(readdirSync(path).sort()).toEqual([others, "a.json"]);
  });

  it("says why it can't be written", async () => {
    const path = join(folder, "in the way");
    writeFileSync(path, "a file");
    const destination = openArchiveDestination(path);
    await expect(destination.write("a.json", content("x"))).rejects.toThrow(ArchiveDestinationError);
    expect(existsSync(path)).toBe(true);
  });
});
