import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { type ClientOptions, Inngest, type InngestFunction } from "inngest";
import { serve } from "inngest/hono";

/** An app with the real SDK on a real port. */
export interface TestApp {
  /** URL of its functions. */
  readonly url: string;
  readonly port: number;
  /** All calls to it, in order. */
  readonly calls: readonly { readonly functionId: string; readonly stepId: string; readonly at: number }[];
  /** Starts serving functions; until then the app answers 503. */
  serve(client: Inngest, functions: readonly InngestFunction.Any[]): void;
  /** Overrides the answer to calls; undefined removes the override. */
  answerInstead(answer: (() => Response) | undefined): void;
  close(): Promise<void>;
}

/** Silent logger, because the SDK logs every error that a function throws. */
const quiet = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  debug: () => undefined,
};

/** Creates an SDK client for the server at `baseUrl`, by default in development mode. */
export function testClient(id: string, baseUrl: string, options: Partial<ClientOptions> = {}): Inngest {
  return new Inngest({ id, baseUrl, isDev: true, eventKey: "test", logger: quiet, ...options });
}

/** Opens a port. Functions are served later, because their client needs the server's URL and the server needs this one. */
export async function openTestApp(port = 0): Promise<TestApp> {
  const calls: { functionId: string; stepId: string; at: number }[] = [];
  let handler: ReturnType<typeof serve> | undefined;
  let impostor: (() => Response) | undefined;
  const hono = new Hono();
  hono.on(["GET", "PUT", "POST"], ["/api/inngest"], async (context): Promise<Response> => {
    if (context.req.method === "POST") {
      const { fnId = "", stepId = "" } = context.req.query();
      calls.push({ functionId: fnId, stepId, at: Date.now() });
      if (impostor !== undefined) return impostor();
    }
    return handler === undefined ? context.text("Not yet", 404) : handler(context);
  });
  const server: Server = createServer(getRequestListener(hono.fetch));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}/api/inngest`,
    port: address.port,
    calls,
    serve(client, functions) {
      handler = serve({ client, functions: [...functions] });
    },
    answerInstead(answer) {
      impostor = answer;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close").catch(() => undefined);
    },
  };
}
