import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { JournalFile, readJournal } from "./journal-file.ts";

describe("a journal", () => {
  const directory = mkdtempSync(join(tmpdir(), "synap-journal-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it("goes on after its last whole line when its writer was killed in the middle of one", () => {
    const path = join(directory, "journal.ndjson");
    expect(readJournal(path)).toEqual([]);
    new JournalFile(path).append({ text: "ä" });
    appendFileSync(path, '{"text":"cut of');
    expect(readJournal(path)).toEqual([{ text: "ä" }]);
    new JournalFile(path).append({ text: "b" });
    expect(readJournal(path)).toEqual([{ text: "ä" }, { text: "b" }]);
  });
});
