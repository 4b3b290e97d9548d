import { type KeyProvider, KeyProviderError } from "./key-provider.ts";

/** The address of Vault's transit engine, and the key that wraps. */
export interface VaultOptions {
  /** The address of Vault or OpenBao, such as `https://vault.example:8200`. */
  readonly url: string;
  readonly token: string;
  /** Name of the transit key: `aes256-gcm96`. Default: `synap`. */
  readonly key?: string | undefined;
  /** Path of the transit engine. Default: `transit`. */
  readonly mount?: string | undefined;
  /** The namespace, where Vault has several. */
  readonly namespace?: string | undefined;
  /** Time limit of a request, in milliseconds. Default: 5 s. */
  readonly timeoutMs?: number | undefined;
}

/** Keys in a request. OpenBao and Vault refuse a body with more than 1,000 texts, and a key has four. */
const TOGETHER = 200;

/**
 * A provider on the transit engine of Vault or OpenBao: the wrapping key never leaves it. Each data key is bound to its subject by
 * associated data, so the key must be of the type `aes256-gcm96`, which is transit's default.
 *
 * @see https://developer.hashicorp.com/vault/api-docs/secret/transit
 */
export function vaultKeys(options: VaultOptions): KeyProvider {
  const { url, token, key = "synap", mount = "transit", namespace, timeoutMs = 5_000 } = options;
  const base = new URL(url);
  const name = `the transit key "${key}" of ${base.origin}`;

  async function call(
    operation: "encrypt" | "decrypt",
    items: readonly object[],
  ): Promise<readonly object[]> {
    const address = new URL(`${base.pathname.replace(/\/$/, "")}/v1/${mount}/${operation}/${key}`, base);
    const answer = await send(address, items);
    const results = listIn(answer);
    if (results.length !== items.length)
      throw new KeyProviderError(name, "its answer does not have a result for each key.");
    for (const result of results) {
      const error = textIn(result, "error");
      if (error !== undefined && error !== "") throw new KeyProviderError(name, `it refused a key: ${error}`);
    }
    return results;
  }

  async function send(address: URL, items: readonly object[]): Promise<unknown> {
    let response: Response;
    try {
      response = await fetch(address, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-vault-token": token,
          "x-vault-request": "true",
          ...(namespace !== undefined && { "x-vault-namespace": namespace }),
        },
        body: JSON.stringify({ batch_input: items }),
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (cause) {
      throw new KeyProviderError(name, "it does not answer.", { cause });
    }
    const body: unknown = await response.json().catch(() => undefined);
    // A batch with a refused item is answered with 400, and has the reason at the item.
    if (response.ok || listIn(body).length > 0) return body;
    const reasons = membersOf(body, "errors").filter((each) => typeof each === "string");
    throw new KeyProviderError(name, `it answered ${response.status}. ${reasons.join(" ")}`.trim());
  }

  return {
    name,
    async wrap(keys) {
      const wrapped: string[] = [];
      for (const part of partsOf(keys)) {
        const items = part.map((each) => ({
          plaintext: each.key.toString("base64"),
          associated_data: Buffer.from(each.subject).toString("base64"),
        }));
        for (const result of await call("encrypt", items)) wrapped.push(required(name, result, "ciphertext"));
      }
      return wrapped;
    },
    async unwrap(keys) {
      const unwrapped: Buffer[] = [];
      for (const part of partsOf(keys)) {
        const items = part.map(({ subject, wrapped }) => ({
          ciphertext: wrapped,
          associated_data: Buffer.from(subject).toString("base64"),
        }));
        for (const result of await call("decrypt", items))
          unwrapped.push(Buffer.from(required(name, result, "plaintext"), "base64"));
      }
      return unwrapped;
    },
  };
}

function partsOf<Item>(items: readonly Item[]): Item[][] {
  return Array.from({ length: Math.ceil(items.length / TOGETHER) }, (_, part) =>
    items.slice(part * TOGETHER, (part + 1) * TOGETHER),
  );
}

function required(provider: string, result: object, field: string): string {
  const text = textIn(result, field);
  if (text === undefined || text === "") throw new KeyProviderError(provider, `its answer has no ${field}.`);
  return text;
}

function textIn(value: object, field: string): string | undefined {
  const text: unknown = Reflect.get(value, field);
  return typeof text === "string" ? text : undefined;
}

function membersOf(value: unknown, field: string): readonly unknown[] {
  const members: unknown =
    typeof value === "object" && value !== null ? Reflect.get(value, field) : undefined;
  return Array.isArray(members) ? members : [];
}

/** The results of an answer to a batch. */
function listIn(answer: unknown): readonly object[] {
  const data: unknown =
    typeof answer === "object" && answer !== null ? Reflect.get(answer, "data") : undefined;
  return membersOf(data, "batch_results").filter((each) => typeof each === "object" && each !== null);
}
