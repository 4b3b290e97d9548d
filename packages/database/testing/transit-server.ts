import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A server that speaks the part of Vault's transit protocol that Synap uses, for tests. */
export interface TransitServer {
  readonly url: string;
  readonly token: string;
  /** The paths of the requests so far. */
  readonly requests: string[];
  /** Makes a new version of the key, which wraps from now on; earlier ones unwrap. */
  rotate(): void;
  /** Answers nothing but this status, as a sealed Vault does with 503; undefined ends that. */
  refuse(status: number | undefined): void;
  close(): Promise<void>;
}

interface Item {
  readonly plaintext?: string;
  readonly ciphertext?: string;
  readonly associated_data?: string;
}

/** The most texts, names and values together, that a body of JSON may have: the default of OpenBao and Vault. */
const MAX_TEXTS = 1_000;

/** Starts a transit engine at `/v1/transit` with the key `synap`, in memory. */
export async function startTransitServer(): Promise<TransitServer> {
  const token = randomBytes(16).toString("hex");
  const keys = [randomBytes(32)];
  const requests: string[] = [];
  let refused: number | undefined;

  function encrypt({ plaintext = "", associated_data = "" }: Item): object {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", keys.at(-1) ?? Buffer.alloc(32), nonce);
    cipher.setAAD(Buffer.from(associated_data, "base64"));
    const body = [nonce, cipher.update(plaintext, "base64"), cipher.final(), cipher.getAuthTag()];
    return {
      ciphertext: `vault:v${keys.length}:${Buffer.concat(body).toString("base64")}`,
      key_version: keys.length,
    };
  }

  function decrypt({ ciphertext = "", associated_data = "" }: Item): object {
    const [, version, body = ""] = /^vault:v(\d+):(.*)$/.exec(ciphertext) ?? [];
    const key = keys[Number(version) - 1];
    if (key === undefined) return { error: "invalid ciphertext: no prefix" };
    const bytes = Buffer.from(body, "base64");
    try {
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12), { authTagLength: 16 });
      decipher.setAAD(Buffer.from(associated_data, "base64"));
      decipher.setAuthTag(bytes.subarray(-16));
      const plain = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
      return { plaintext: plain.toString("base64") };
    } catch {
      return { error: "cipher: message authentication failed" };
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests.push(request.url ?? "");
    const reply = (status: number, body: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (refused !== undefined) return void reply(refused, { errors: ["Vault is sealed"] });
    if (request.headers["x-vault-token"] !== token) return void reply(403, { errors: ["permission denied"] });
    const work = { "/v1/transit/encrypt/synap": encrypt, "/v1/transit/decrypt/synap": decrypt }[
      request.url ?? ""
    ];
    if (request.method !== "POST" || work === undefined) return void reply(404, { errors: [] });
    const body = Buffer.concat(chunks).toString();
    if ((body.match(/"[^"]*"/g) ?? []).length > MAX_TEXTS)
      return void reply(400, {
        errors: ["refused JSON input due to high complexity: exceeded maximum number of strings"],
      });
    const { batch_input }: { batch_input: Item[] } = JSON.parse(body);
    const batch_results = batch_input.map(work);
    reply(batch_results.some((each) => "error" in each) ? 400 : 200, { data: { batch_results } });
  }

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    token,
    requests,
    rotate: () => void keys.push(randomBytes(32)),
    refuse: (status) => {
      refused = status;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
