import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
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

/** An S3-compatible store with the bucket synap-test, from `.ci/s3 start`. */
const s3 = process.env["TEST_S3_URL"];
function openBucket(address = s3 ?? "", changes: Readonly<Record<string, string>> = {}): ArchiveDestination {
  const { username, password, origin } = new URL(address);
  const environment = {
    AWS_ACCESS_KEY_ID: username,
    AWS_SECRET_ACCESS_KEY: password,
    AWS_ENDPOINT_URL_S3: origin,
    ...changes,
  };
  return openArchiveDestination(`s3://synap-test/${randomUUID()}/events`, environment);
}

const kinds: readonly (readonly [string, () => ArchiveDestination])[] = [
  ["folder", () => openArchiveDestination(join(folder, `${opened++}`, "not yet there"))],
  ...(s3 === undefined ? [] : [["bucket", openBucket] as const]),
];

async function* content(...parts: readonly (string | Error)[]) {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    yield Buffer.from(part);
  }
}

async function* one(bytes: Uint8Array) {
  yield bytes;
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
    // More than two parts of an upload.
    const size = 40_000_000;
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

/** A proxy before the store, which sees the requests and may answer or end them in its own way. */
async function storeBehind(
  act: (request: IncomingMessage, response: ServerResponse, pass: (breakAfter?: number) => void) => void,
) {
  const target = new URL(s3 ?? "");
  const server = createServer((incoming, response) => {
    const pass = (breakAfter = Number.POSITIVE_INFINITY) => {
      const { method, url: path, headers } = incoming;
      const outgoing = request(
        { host: target.hostname, port: target.port, method, path, headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          let sent = 0;
          answer.on("data", (bytes: Buffer) => {
            response.write(bytes);
            sent += bytes.length;
            if (sent > breakAfter) response.destroy();
          });
          answer.on("end", () => response.end());
        },
      );
      incoming.pipe(outgoing);
    };
    act(incoming, response, pass);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return openBucket(`http://${target.username}:${target.password}@127.0.0.1:${port}`);
}

describe.skipIf(s3 === undefined)("a bucket", () => {
  it("is asked again after errors of the store and lost connections", async () => {
    const seen: string[] = [];
    const destination = await storeBehind((incoming, response, pass) => {
      seen.push(incoming.method ?? "");
      if (seen.length % 3 === 1) response.writeHead(503).end("<Error><Code>SlowDown</Code></Error>");
      else if (seen.length % 3 === 2) incoming.socket.destroy();
      else pass();
    });
    await destination.write("a.json", content("kept"));
    expect(await text(destination, "a.json")).toBe("kept");
    expect(seen.filter((method) => method === "PUT").length).toBe(3);
  });

  it("goes on reading where a connection broke off", async () => {
    const size = 3_000_000;
    let reads = 0;
    const destination = await storeBehind((incoming, _response, pass) => {
      const isRead = incoming.method === "GET" && /a\.bin(?!.*uploads)/.test(incoming.url ?? "");
      if (isRead) reads += 1;
      pass(isRead && reads < 3 ? 1_000_000 : Number.POSITIVE_INFINITY);
    });
    const whole = Buffer.from(
      Array.from({ length: size / 10 }, (_, index) => String(index).padStart(10)).join(""),
    );
    await destination.write("a.bin", one(whole));
    expect((await text(destination, "a.bin")) === whole.toString()).toBe(true);
    expect(reads).toBe(3);
  });

  it("ends an upload whose content failed, and one that a killed process has left", async () => {
    const requests: string[] = [];
    let isKilled = true;
    const destination = await storeBehind(({ method, url = "" }, response, pass) => {
      const [about] = /uploads(?==)|uploadId(?==)/.exec(url) ?? [];
      if (about !== undefined && method !== "PUT") requests.push(`${method} ${about}`);
      // A process that was killed doesn't end its upload.
      if (method === "DELETE" && isKilled) response.writeHead(204).end();
      else pass();
    });
    async function* broken() {
      yield Buffer.alloc(17 * 1024 * 1024);
      throw new Error("the database went away");
    }
    const write = () => destination.write("a.bin", broken());
    await expect(write()).rejects.toThrow("the database went away");
    isKilled = false;
    await expect(write()).rejects.toThrow("the database went away");
    await destination.write("a.bin", content("whole"));
    expect(requests).toEqual([
      ...["GET uploads", "POST uploads", "DELETE uploadId"],
      ...["GET uploads", "DELETE uploadId", "POST uploads", "DELETE uploadId"],
      "GET uploads",
    ]);
  });

  it("says what is wrong: keys, a bucket that isn't there, an address where nothing is", async () => {
    const wrong = openBucket(s3, { AWS_SECRET_ACCESS_KEY: "another" });
    await expect(wrong.list("")).rejects.toThrow(/HTTP 403, SignatureDoesNotMatch/);
    await expect(wrong.write("a.json", content("x"))).rejects.toThrow(ArchiveDestinationError);
    await expect(text(wrong, "a.json")).rejects.toThrow(ArchiveDestinationError);
    const { username, password, origin } = new URL(s3 ?? "");
    const keys = {
      AWS_ACCESS_KEY_ID: username,
      AWS_SECRET_ACCESS_KEY: password,
      AWS_ENDPOINT_URL_S3: origin,
    };
    const nowhere = openArchiveDestination("s3://no-such-bucket/a", keys);
    await expect(nowhere.list("")).rejects.toThrow(/NoSuchBucket/);
    await expect(text(nowhere, "a.json")).rejects.toThrow(/NoSuchBucket/);
  });
});

describe("the address of a bucket", () => {
  const keys = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };

  it("has a bucket and a prefix, or no prefix", () => {
    expect(openArchiveDestination("s3://kept-here/of/synap/", keys).url).toBe("s3://kept-here/of/synap");
    expect(openArchiveDestination("s3://kept-here", keys).url).toBe("s3://kept-here");
  });

  it.each([
    "s3://",
    "s3:kept",
    "s3://a",
    "s3://kept/a b",
    "s3://kept/../a",
    "s3://user:word@kept/a",
    "s3://kept/a?b",
  ])("is not %s", (url) => expect(() => openArchiveDestination(url, keys)).toThrow(InvalidArchiveUrlError));

  it("needs keys, and an endpoint that is a URL", () => {
    expect(() => openArchiveDestination("s3://kept", { ...keys, AWS_SECRET_ACCESS_KEY: "" })).toThrow(
      /needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/,
    );
    expect(() => openArchiveDestination("s3://kept", { ...keys, AWS_ENDPOINT_URL: "kept:9000" })).toThrow(
      InvalidArchiveUrlError,
    );
  });
});
