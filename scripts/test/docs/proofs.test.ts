import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { files, pages, read } from "./documentation.ts";

// A table that says what is guaranteed names the tests that hold it: [`file.test.ts`](path): "title", "beginning of a title...".

/** A test file that a table names, with the titles named after it. */
interface Proof {
  readonly where: string;
  readonly row: string;
  /** Files that the name can stand for. */
  readonly files: readonly string[];
  readonly name: string;
  readonly titles: readonly string[];
}

const NAMED_FILE =
  /\[[^\]]*\]\(([^)\s]*(?:\.test|-contract|-laws)\.ts)\)|`([\w./-]+(?:\.test|-contract|-laws)\.ts)`/g;
const TITLE = /"([^"]+)"/g;

const proofs: readonly Proof[] = pages.flatMap(({ path: page, prose }) =>
  prose.split("\n").flatMap((row, index) => {
    if (!row.startsWith("|")) return [];
    const named = [...row.matchAll(NAMED_FILE)];
    return named.map((match, place) => {
      const [text, link, name = link ?? ""] = match;
      const after = row.slice(match.index + text.length, named[place + 1]?.index);
      const linked = link === undefined ? undefined : join(dirname(page), link);
      return {
        where: `${page}:${index + 1}`,
        row,
        name,
        files: files.filter((file) => (linked === undefined ? isNamed(file, name) : file === linked)),
        titles: [...after.matchAll(TITLE)].map(([, title = ""]) => title),
      };
    });
  }),
);

function isNamed(file: string, name: string): boolean {
  return file === name || file.endsWith(`/${name}`);
}

/** Checks that a test or group in the file has the title; "..." at the end stands for any continuation. */
function holds(source: string, title: string): boolean {
  const isBeginning = title.endsWith("...");
  const wanted = isBeginning ? title.slice(0, -3) : title;
  return ['"', "`"].some((quote) => source.includes(`${quote}${wanted}${isBeginning ? "" : quote}`));
}

describe("the tests that the documentation's tables name", () => {
  it("are files that exist, each name one file", () => {
    const strays = proofs
      .filter((proof) => proof.files.length !== 1)
      .map(({ where, name, files: found }) => `${where}: ${name} is ${found.join(" or ") || "no file"}`);
    expect(proofs.length).toBeGreaterThan(50);
    expect(strays).toEqual([]);
  });

  it("have the titles that are named", () => {
    const strays = proofs.flatMap(({ where, files: [file], titles }) => {
      const source = file === undefined ? "" : read(file);
      return titles
        .filter((title) => !holds(source, title))
        .map((title) => `${where}: ${file} has no "${title}"`);
    });
    expect(strays).toEqual([]);
  });

  it("are named with their titles for every way in which an accepted event can end outside the log", () => {
    const operating = pages.find(({ path }) => path === "docs/operating.md")?.prose ?? "";
    const [, section = ""] = operating.split("\n## Accepted events that are not stored\n");
    const rows = (section.split("\n## ")[0] ?? "")
      .split("\n")
      .filter((row) => /^\| (?!way \||---)/.test(row));
    expect(rows.length).toBeGreaterThan(15);
    const unproven = rows.filter((row) => {
      const named = proofs.filter((proof) => proof.row === row);
      return named.length === 0 || named.some(({ titles }) => titles.length === 0);
    });
    expect(unproven).toEqual([]);
  });
});
