/** One server-sent event. */
export interface ServerSentEvent {
  /** `message` when it has no name. */
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

/**
 * Parses server-sent events from a response until it ends, as the HTML standard defines them
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html). `onBytes` is called for everything that arrives,
 * comments included.
 */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array>,
  onBytes: () => void = () => undefined,
): AsyncGenerator<ServerSentEvent, void, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      rest += decoder.decode(value, { stream: true });
      // A line may end with LF, CR or CRLF; a CR at the very end may be half of a CRLF.
      const held = rest.endsWith("\r") ? "\r" : "";
      const blocks = rest
        .slice(0, rest.length - held.length)
        .replaceAll(/\r\n?/g, "\n")
        .split("\n\n");
      rest = (blocks.pop() ?? "") + held;
      for (const block of blocks) {
        const parsed = parseBlock(block);
        if (parsed !== undefined) yield parsed;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function parseBlock(block: string): ServerSentEvent | undefined {
  let event = "message";
  let id: string | undefined;
  let data: string | undefined;
  for (const line of block.split("\n")) {
    const [, name, value = ""] = /^(\w+): ?(.*)$/s.exec(line) ?? [];
    if (name === "event") event = value;
    else if (name === "id") id = value;
    else if (name === "data") data = data === undefined ? value : `${data}\n${value}`;
  }
  return data === undefined ? undefined : { event, id, data };
}
