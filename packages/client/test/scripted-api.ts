import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as the API would see it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  // biome-ignore lint/suspicious/noExplicitAny: the bodies of all operations; each test looks at what it sent
  readonly body: any;
}

/** A response: a status and a body, or whatever the function sends. */
export type ScriptedResponse =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body: unknown }
  | ((request: SeenRequest, response: ServerResponse) => unknown);

/** An HTTP server that answers as a test says: faults of a network and of an API that can't be had from a real one. */
export interface ScriptedApi {
  readonly url: string;
  readonly requests: SeenRequest[];
  stop(): Promise<void>;
}

/** Starts a scripted API. `answer` is called for every request. */
export async function startScriptedApi(
  answer: (request: SeenRequest) => ScriptedResponse,
): Promise<ScriptedApi> {
  const requests: SeenRequest[] = [];
  const server = createServer(async (incoming, response) => {
    let text = "";
    for await (const chunk of incoming) text += chunk;
    const { method = "", url = "", headers } = incoming;
    const request = { method, url, headers, body: text === "" ? undefined : JSON.parse(text) };
    requests.push(request);
    const wanted = answer(request);
    if (typeof wanted === "function") return void wanted(request, response);
    response.writeHead(wanted.status, { "content-type": "application/json", ...wanted.headers });
    response.end(JSON.stringify(wanted.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A problem document of the API. */
export function problem(
  status: number,
  code: string,
  members: Record<string, unknown> = {},
  headers: Record<string, string> = {},
) {
  const body = {
    type: `/problems/${code}`,
    title: code,
    status,
    code,
    detail: "Because.",
    instance: "r",
    ...members,
  };
  return { status, headers, body };
}

/** The connection breaks before a response. */
export const broken: ScriptedResponse = (_request, response) => response.destroy();
