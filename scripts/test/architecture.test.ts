import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { z } from "zod";

const root = fileURLToPath(new URL("../..", import.meta.url));

const product = [
  "@synap/archive",
  "@synap/http",
  "@synap/types",
  "@synap/client",
  "@synap/database",
  "@synap/handlers",
  "@synap/domain",
  "@synap/synap",
  "@synap/service",
  "@synap/inngest-local",
  "@synap/api",
  "@synap/worker",
];

/** Permitted imports between folders. Anything else is forbidden, and nothing imports the bench. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "packages/archive": [],
  "packages/http": [],
  "packages/types": [],
  "packages/client": ["@synap/types"],
  "packages/database": ["@synap/types"],
  "packages/handlers": ["@synap/types", "@synap/database"],
  "packages/domain": ["@synap/types", "@synap/database", "@synap/handlers"],
  "packages/synap": ["@synap/types", "@synap/database", "@synap/handlers", "@synap/domain"],
  "packages/service": ["@synap/http", "@synap/types", "@synap/database", "@synap/handlers", "@synap/synap"],
  "packages/inngest-local": ["@synap/http"],
  "apps/api": [
    "@synap/http",
    "@synap/types",
    "@synap/database",
    "@synap/handlers",
    "@synap/synap",
    "@synap/service",
  ],
  "apps/worker": [
    "@synap/http",
    "@synap/types",
    "@synap/database",
    "@synap/handlers",
    "@synap/synap",
    "@synap/service",
  ],
  "apps/cli": product,
  scripts: [...product, "@synap/cli"],
  bench: [...product, "@synap/cli", "@synap/scripts"],
};

/** Tests may stand a broker beside the code they test. */
const testsMayImportToo: Readonly<Record<string, readonly string[]>> = {
  "apps/api": ["@synap/inngest-local", "@synap/client"],
  "apps/worker": ["@synap/inngest-local"],
  "packages/synap": ["@synap/client"],
};

const ignoredFolders = new Set([
  "node_modules",
  "dist",
  ".git",
  ".turbo",
  ".synap",
  "test-results",
  "results",
]);

function foldersAndFiles(folder: string): { folders: string[]; files: string[] } {
  const folders: string[] = [];
  const files: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !ignoredFolders.has(entry.name)) {
      const below = foldersAndFiles(path);
      folders.push(path, ...below.folders);
      files.push(...below.files);
    } else if (entry.isFile()) {
      files.push(path);
    }
  }
  return { folders, files };
}

const tree = foldersAndFiles(root);
const named = (path: string): string => relative(root, path).split(sep).join("/");
const sources = tree.files.filter((file) => file.endsWith(".ts"));
const isTest = (file: string): boolean => /\.test\.ts$|\.type-test\.ts$|\/(test|testing)\//.test(named(file));

function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].flatMap((match) => match[1] ?? []);
}

describe("the packages", () => {
  for (const [folder, allowed] of Object.entries(mayImport)) {
    it(`${folder} imports no other folder than ${allowed.join(", ") || "none"}`, () => {
      const strays = sources
        .filter((file) => named(file).startsWith(`${folder}/`))
        .flatMap((file) => {
          const extra = isTest(file) ? (testsMayImportToo[folder] ?? []) : [];
          const own = `@synap/${folder.split("/").at(-1)}`;
          return importsOf(file)
            .filter((name) => name.startsWith("@synap/"))
            .filter(
              (name) => ![...allowed, ...extra, own].some((ok) => name === ok || name.startsWith(`${ok}/`)),
            )
            .map((name) => `${named(file)} imports ${name}`);
        });
      expect(strays).toEqual([]);
    });
  }

  it("never reach into each other's files past the package's exports", () => {
    const strays = sources.flatMap((file) => {
      const folder = named(file)
        .split("/")
        .slice(0, /^(scripts|bench)\//.test(named(file)) ? 1 : 2)
        .join("/");
      return importsOf(file)
        .filter((name) => name.startsWith("."))
        .map((name) => named(join(file, "..", name)))
        .filter((target) => !target.startsWith(`${folder}/`))
        .map((target) => `${named(file)} reaches ${target}`);
    });
    expect(strays).toEqual([]);
  });

  it("have no two folders that import each other", () => {
    const imports = new Map<string, string>();
    for (const file of sources.filter((each) =>
      /^((packages|apps)\/[^/]+|bench|scripts)\/src\//.test(named(each)),
    )) {
      if (isTest(file)) continue;
      for (const name of importsOf(file).filter((each) => each.startsWith("."))) {
        const [from, to] = [join(file, ".."), join(file, "..", name, "..")].map(named);
        imports.set(`${from} > ${to}`, `${named(file)} imports ${name}`);
      }
    }
    // A folder may take what its package has in common from the folder above, which composes it.
    const cycles = [...imports].filter(([edge]) => {
      const [from = "", to = ""] = edge.split(" > ");
      return (
        !`${from}/`.startsWith(`${to}/`) && !`${to}/`.startsWith(`${from}/`) && imports.has(`${to} > ${from}`)
      );
    });
    expect(cycles.map(([, example]) => example)).toEqual([]);
  });

  it("hold at most 15 files of code, beside their tests", () => {
    const counts = new Map<string, number>();
    for (const file of sources.filter((each) => /^(packages|apps)\/[^/]+\/src\//.test(named(each)))) {
      const folder = named(join(file, ".."));
      if (!isTest(file)) counts.set(folder, (counts.get(folder) ?? 0) + 1);
    }
    // The client is one idea, a file for each part of the API.
    const full = [...counts].filter(([folder, count]) => count > 15 && folder !== "packages/client/src");
    expect(full).toEqual([]);
  });

  it("are named for ideas", () => {
    const vague = new Set(["utils", "util", "common", "shared", "helpers", "misc", "lib"]);
    expect(tree.folders.map(named).filter((folder) => vague.has(folder.split("/").at(-1) ?? ""))).toEqual([]);
  });
});

describe("the files", () => {
  it("stay small enough to hold one idea (300 lines; tests 500)", () => {
    const long = sources
      .map((file) => ({
        file: named(file),
        test: isTest(file),
        lines: readFileSync(file, "utf8").split("\n").length,
      }))
      .filter(({ test, lines }) => lines > (test ? 500 : 300));
    expect(long).toEqual([]);
  });

  it("pass on no message of Zod's own, which is a sentence about no field: zod-reason.ts words them", () => {
    const raw =
      /prettifyError|treeifyError|\bissue\??\.message\b|\{[^{}]*\bpath\b[^{}]*\bmessage\b[^{}]*\}\) =>/;
    const strays = sources
      .filter((file) => /^((packages|apps)\/[^/]+|bench|scripts)\/src\//.test(named(file)) && !isTest(file))
      .filter((file) => /from "zod"|safeParse\(/.test(readFileSync(file, "utf8")))
      .filter((file) => raw.test(readFileSync(file, "utf8")))
      .map(named);
    // The second passes on the messages of its own refinements only.
    expect(strays).toEqual(
      [
        "packages/types/src/issues/zod-reason.ts",
        "packages/inngest-local/src/registration/function-config.ts",
      ].sort(),
    );
  });

  it.each([
    [
      "key of a stream",
      /aggregateType\}\\0|aggregate_type\}\\0/,
      ["packages/types/src/event/stream-name.ts"],
    ],
    // The client takes only types from other packages, and the local broker nothing of Synap's.
    [
      "backoff",
      /2 \*\* [(\w]|(?:delay|pause|wait|length)\w*[^=;\n]* \* 2,/i,
      [
        "packages/client/src/backoff.ts",
        "packages/database/src/backoff.ts",
        "packages/inngest-local/src/dispatch/backoff.ts",
      ],
    ],
  ])("write the %s once", (_, form, homes) => {
    const found = sources
      .filter((file) => /^(packages|apps)\/[^/]+\/src\//.test(named(file)) && !isTest(file))
      .filter((file) => form.test(readFileSync(file, "utf8").replaceAll(/\/\/.*$|2 \*\* \d/gm, "")));
    expect(found.map(named).sort()).toEqual(homes);
  });

  it("hold no unfinished marks and no test that keeps the others from running", () => {
    const marks = /\b(TODO|FIXME|XXX|HACK)\b|\b(it|describe|test)\.(only|todo)\b/;
    const strays = sources
      .filter((file) => !file.endsWith("architecture.test.ts"))
      .filter((file) => marks.test(readFileSync(file, "utf8")))
      .map(named);
    expect(strays).toEqual([]);
  });
});

describe("the processes", () => {
  const apps = ["apps/api", "apps/worker", "apps/cli"];
  const SAME_LINES = 6;

  /** Every run of so many lines of an app's code, imports, comments and blank lines aside, and the file that has it. */
  function runsOf(app: string): Map<string, string> {
    const runs = new Map<string, string>();
    for (const file of sources.filter((each) => named(each).startsWith(`${app}/src/`) && !isTest(each))) {
      const code = readFileSync(file, "utf8").replaceAll(/^import [^;]*;$|\/\*\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      const lines = code
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line.length > 3);
      for (let from = 0; from + SAME_LINES <= lines.length; from += 1) {
        runs.set(lines.slice(from, from + SAME_LINES).join("\n"), named(file));
      }
    }
    return runs;
  }

  it("write nothing twice: what API, worker and CLI share is in packages/service", () => {
    const [api, worker, cli] = apps.map(runsOf);
    const twice = [
      [api, worker],
      [api, cli],
      [worker, cli],
    ].flatMap(([one, other]) =>
      [...(one ?? [])].flatMap(([run, file]) => {
        const copy = other?.get(run);
        return copy === undefined ? [] : [`${file} and ${copy} both have:\n${run}`];
      }),
    );
    expect(twice).toEqual([]);
  });
});

it("@synap/synap depends on every npm package that its bundled program imports", () => {
  const manifest = z.object({
    private: z.boolean().default(false),
    dependencies: z.record(z.string(), z.string()).default({}),
  });
  const manifests = tree.files
    .filter((file) => /^(apps|packages)\/[^/]+\/package\.json$/.test(named(file)))
    .map((file) => ({ file: named(file), ...manifest.parse(JSON.parse(readFileSync(file, "utf8"))) }));
  const own = manifests.find(({ file }) => file === "packages/synap/package.json")?.dependencies ?? {};
  const strays = manifests
    .filter((each) => each.private)
    .flatMap(({ file, dependencies }) =>
      Object.keys(dependencies)
        .filter((name) => !name.startsWith("@synap/") && !(name in own))
        .map((name) => `${file}: ${name}`),
    );
  expect(strays).toEqual([]);
});

describe("the documentation", () => {
  const pages = tree.files.filter((file) => file.endsWith(".md"));

  it("links only to pages and files that exist", () => {
    const known = new Set([...tree.files, ...tree.folders].map(named));
    const broken = pages.flatMap((page) =>
      [...readFileSync(page, "utf8").matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
        .flatMap((match) => match[1] ?? [])
        .filter((target) => !/^[a-z]+:/.test(target))
        .map((target) => named(join(page, "..", target)).replace(/\/$/, ""))
        .filter((target) => target !== "" && !known.has(target))
        .map((target) => `${named(page)} -> ${target}`),
    );
    expect(broken).toEqual([]);
  });

  // Messages and help texts document commands as well.
  const documents = [...pages, ...sources];

  it("starts no script under the name of one of pnpm's own commands", () => {
    const misleading = /pnpm(@\d+)? import\b/;
    expect(documents.filter((file) => misleading.test(readFileSync(file, "utf8"))).map(named)).toEqual([]);
  });

  it("has npx fetch packages without a question, which nobody answers where there is no terminal", () => {
    const commands = [".github/workflows/ci.yml", ".ci/run", "Dockerfile"].map((file) => join(root, file));
    const asking = /\bnpx(?! (-y|--yes) )(?=(?:\s|", \[?")+[^\s`]*@\d)[^\n`]*/g;
    const inCode = /`[^`\n]*\bnpx (?!-y |synap\b)[^`\n]*`/g;
    const strays = [...documents, ...commands].flatMap((file) => {
      const text = readFileSync(file, "utf8");
      const found = [...text.matchAll(asking), ...(file.endsWith(".md") ? text.matchAll(inCode) : [])];
      return found.map(([command]) => `${named(file)}: ${command}`);
    });
    expect(strays).toEqual([]);
  });

  it("starts and tests with npm alone", () => {
    const misleading = /\bpnpm(@\d+)? (start|test)(?![:\w-])/;
    expect(documents.filter((file) => misleading.test(readFileSync(file, "utf8"))).map(named)).toEqual([]);
  });
});

it("shows the seeded domain as an application: it needs no /internal of another package", () => {
  const strays = foldersAndFiles(join(root, "packages/domain/src")).files.filter(
    (file) => !isTest(file) && importsOf(file).some((name) => name.endsWith("/internal")),
  );
  expect(strays.map(named)).toEqual([]);
});

it("opens a store in one way: @synap/database exports none without its inline handlers", async () => {
  const exported = Object.keys(await import("@synap/database"));
  expect(exported).toContain("openDatabase");
  expect(exported.filter((name) => /EventStore/.test(name))).toEqual([]);
});

it("has one composition root: API, worker and CLI are given an engine and make no store or dispatcher", () => {
  const makers = ["apps/api/src", "apps/worker/src", "apps/cli/src"].flatMap((folder) =>
    foldersAndFiles(join(root, folder)).files.filter(
      (file) =>
        !isTest(file) && /\bcreateEventStore\(|\bnew EventDispatcher\(/.test(readFileSync(file, "utf8")),
    ),
  );
  expect(makers.map(named)).toEqual([]);
});

it("has one HTTP client: the commands and the demo call the API through @synap/client", () => {
  const callers = ["apps/cli/src/operating", "apps/cli/src/loading", "scripts/src/demo"].flatMap((folder) =>
    foldersAndFiles(join(root, folder)).files.filter((file) => /\bfetch\(/.test(readFileSync(file, "utf8"))),
  );
  expect(callers).toEqual([]);
});

describe("written in one place", () => {
  /** The product's code and SQL, without comments: a comment may name what it speaks of. */
  const code = tree.files
    .filter((file) => /^(packages|apps)\/[^/]+\/(src|sql)\//.test(named(file)) && /\.(ts|sql)$/.test(file))
    .filter((file) => !isTest(file))
    .map((file) => ({
      file: named(file),
      text: readFileSync(file, "utf8").replaceAll(/^\s*(?:--|\/?\*).*$|(?<=\s)\/\/ .*$/gm, ""),
    }));
  const filesWith = (pattern: RegExp) =>
    code.filter(({ text }) => pattern.test(text)).map(({ file }) => file);

  it("is the statement that stores events: one of any number, and one of a single event", () => {
    expect(filesWith(/INSERT\s+INTO\s+synap\.events\b/i)).toEqual([
      "packages/database/sql/functions/append_new_event.sql",
      "packages/database/sql/functions/append_new_events.sql",
      // Stored before: brought back from an archive as they were.
      "packages/database/src/archive/restore-chunk.ts",
    ]);
  });

  it("is the number of our advisory locks, which nothing else takes or looks for", () => {
    const namespace = "packages/database/sql/functions/lock_namespace.sql";
    const [, number] = /RETURN (\d+);/.exec(readFileSync(join(root, namespace), "utf8")) ?? [];
    expect(filesWith(new RegExp(`(?:RETURN|=|\\(|,)\\s*${number}\\b`))).toEqual([namespace]);
    expect(filesWith(/\bpg_(?:try_)?advisory_\w+\(/)).toEqual([
      "packages/database/sql/functions/take_append_number.sql",
    ]);
    expect(filesWith(/\bpg_locks\b[\s\S]*'advisory'/)).toEqual([
      "packages/database/sql/functions/append_watermark.sql",
      "packages/database/sql/views/append_locks.sql",
    ]);
  });

  it("is the name of a NOTIFY channel, once in TypeScript and once in SQL", () => {
    expect(filesWith(/\bsynap_appends\b/)).toEqual([
      "packages/database/sql/functions/post_event.sql",
      "packages/database/src/subscriptions/append-signal.ts",
    ]);
    // There is no other channel.
    expect(filesWith(/\bpg_notify\(|\bNOTIFY \w/)).toEqual([
      "packages/database/sql/functions/post_event.sql",
      "packages/database/src/append/append-new-events.ts",
      "packages/database/src/subscriptions/append-signal.ts",
    ]);
  });

  it("is the search in SQL for the stored events that one repeats", () => {
    expect(filesWith(/\bevent_ids\b[^;`]*UNION ALL[^;`]*\bidempotency_keys\b/)).toEqual([
      "packages/database/sql/functions/stored_originals.sql",
    ]);
  });

  it("is the list of an event's columns that SQL shows to people", () => {
    expect(filesWith(/\bcorrelation_id, e\.causation_id\b/)).toEqual([
      "packages/database/sql/views/event_rows.sql",
    ]);
  });
});
