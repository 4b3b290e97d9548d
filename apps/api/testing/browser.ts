import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";

/** The answer to a request that was sent as it is. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** Parts of a request. */
export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends a request as it is: `fetch` sets some headers of browsers itself, and follows redirects. */
export async function send(url: string, { method = "GET", headers = {}, body }: Sent = {}): Promise<Answer> {
  const sent = request(url, { method, headers });
  sent.end(body);
  const [response]: IncomingMessage[] = await once(sent, "response");
  if (response === undefined) throw new Error("no response");
  return { status: response.statusCode ?? 0, headers: response.headers, text: await text(response) };
}

/** Keeps cookies as a browser does, for one server. */
export function createCookieJar() {
  const cookies = new Map<string, string>();
  return {
    cookies,
    /** Sends a request with the cookies, and keeps those of the answer. */
    async visit(url: string, { headers = {}, ...more }: Sent = {}): Promise<Answer> {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const answer = await send(url, { ...more, headers: { ...(cookie !== "" && { cookie }), ...headers } });
      for (const set of answer.headers["set-cookie"] ?? []) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
        if (value === "" || /; Max-Age=0(?:;|$)/i.test(set)) cookies.delete(name);
        else cookies.set(name, value);
      }
      return answer;
    },
  };
}
