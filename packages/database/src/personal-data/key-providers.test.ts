import { randomBytes } from "node:crypto";
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { startTransitServer, type TransitServer } from "../../testing/transit-server.ts";
import { keyFile, ownKeyFile } from "./key-file.ts";
import { type KeyProvider, KeyProviderError } from "./key-provider.ts";
import { vaultKeys } from "./vault-keys.ts";

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0)) await each();
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "synap-keys-"));
  undo.push(() => rm(path, { recursive: true }));
  return path;
}

async function vault(): Promise<TransitServer> {
  const server = await startTransitServer();
  undo.push(() => server.close());
  return server;
}

const first = { subject: "ada", key: randomBytes(32) };
const second = { subject: "bob", key: randomBytes(32) };

async function wrapBoth(provider: KeyProvider) {
  const [ada = "", bob = ""] = await provider.wrap([first, second]);
  return { ada, bob };
}

async function expectRoundTrip(provider: KeyProvider): Promise<void> {
  const { ada, bob } = await wrapBoth(provider);
  expect(`${ada} ${bob}`).not.toContain(first.key.toString("base64url"));
  const unwrapped = await provider.unwrap([
    { subject: "bob", wrapped: bob },
    { subject: "ada", wrapped: ada },
  ]);
  expect(unwrapped).toEqual([second.key, first.key]);
  // Nobody can put the key of one subject into the row of another.
  await expect(provider.unwrap([{ subject: "bob", wrapped: ada }])).rejects.toThrow(KeyProviderError);
}

describe("a key file", () => {
  it("is made once, for its owner alone, and wraps each key for its subject", async () => {
    const directory = await folder();
    const { keys: provider } = await ownKeyFile(directory);
    await expectRoundTrip(provider);
    const path = join(directory, "personal-data.keys");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const text = await readFile(path, "utf8");
    const { ada } = await wrapBoth(provider);
    const [again] = await (await ownKeyFile(directory)).keys.unwrap([{ subject: "ada", wrapped: ada }]);
    expect(again).toEqual(first.key);
    expect(await readFile(path, "utf8")).toBe(text);
  });

  it("wraps with its last key, and unwraps with the others, also those added while the process runs", async () => {
    const directory = await folder();
    const { keys: provider } = await ownKeyFile(directory);
    const before = await wrapBoth(provider);
    const line = `key-2 ${randomBytes(32).toString("base64url")}\n`;
    await appendFile(join(directory, "personal-data.keys"), line);
    const after = await wrapBoth(provider);
    expect(before.ada).toMatch(/^key-1:/);
    expect(after.ada).toMatch(/^key-2:/);
    await expect(provider.unwrap([{ subject: "ada", wrapped: before.ada }])).resolves.toEqual([first.key]);
  });

  it.each([
    ["nothing", "", "has no key"],
    ["a short key", "key-1 AAAA", "line 1 is not"],
    ["two keys of one name", `k ${"A".repeat(43)}\nk ${"B".repeat(43)}`, "one name"],
  ])("is refused with %s", async (_, text, reason) => {
    const path = join(await folder(), "keys");
    await writeFile(path, text);
    await expect(keyFile(path).wrap([first])).rejects.toThrow(reason);
  });

  it("is refused when it is not there, or is another one than before", async () => {
    const { keys: provider } = await ownKeyFile(await folder());
    const { ada } = await wrapBoth(provider);
    const { keys: other } = await ownKeyFile(await folder());
    await expect(other.unwrap([{ subject: "ada", wrapped: ada }])).rejects.toThrow(
      "another file than before",
    );
    await expect(keyFile("/nowhere/keys").wrap([first])).rejects.toThrow("can't be read");
  });
});

describe("Vault's transit engine", () => {
  it("wraps each key for its subject, many with one request", async () => {
    const server = await vault();
    const provider = vaultKeys(server);
    await expectRoundTrip(provider);
    expect(server.requests).toEqual([
      "/v1/transit/encrypt/synap",
      "/v1/transit/decrypt/synap",
      "/v1/transit/decrypt/synap",
    ]);
  });

  it("sends no request with more texts than it takes", async () => {
    const provider = vaultKeys(await vault());
    const many = Array.from({ length: 700 }, (_, index) => ({ subject: `s-${index}`, key: randomBytes(32) }));
    const wrapped = await provider.wrap(many);
    const both = many.map(({ subject }, index) => ({ subject, wrapped: wrapped[index] ?? "" }));
    expect(await provider.unwrap(both)).toEqual(many.map(({ key }) => key));
  });

  it("wraps with the newest version of its key, and unwraps what an earlier one has wrapped", async () => {
    const server = await vault();
    const provider = vaultKeys(server);
    const before = await wrapBoth(provider);
    server.rotate();
    expect((await wrapBoth(provider)).ada).toMatch(/^vault:v2:/);
    await expect(provider.unwrap([{ subject: "ada", wrapped: before.ada }])).resolves.toEqual([first.key]);
  });

  it("says why it can't, without the token or a key", async () => {
    const server = await vault();
    await expect(vaultKeys({ ...server, token: "other" }).wrap([first])).rejects.toThrow(
      "403. permission denied",
    );
    await expect(vaultKeys({ ...server, key: "missing" }).wrap([first])).rejects.toThrow("404");
    server.refuse(503);
    await expect(vaultKeys(server).wrap([first])).rejects.toThrow("503. Vault is sealed");
    server.refuse(undefined);
    await server.close();
    undo.pop();
    const failure = await vaultKeys(server)
      .wrap([first])
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "KEY_PROVIDER_FAILED" });
    expect(String(failure)).not.toContain(server.token);
  });
});
