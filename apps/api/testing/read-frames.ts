/** One server-sent event. */
export interface Frame {
  readonly event: string;
  readonly id?: string;
  // biome-ignore lint/suspicious/noExplicitAny: an event, how far the reading is, or a problem
  readonly data: any;
}

/** The server-sent events of a response, comments and reconnection times left out, until it ends. */
export async function* readFrames(response: Response): AsyncGenerator<Frame, void, void> {
  if (response.body === null) return;
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true });
    const end = text.lastIndexOf("\n\n") + 2;
    if (end < 2) continue;
    yield* parseFrames(text.slice(0, end));
    text = text.slice(end);
  }
}

/** The server-sent events of a text that ends with one. */
export function* parseFrames(text: string): Generator<Frame, void, void> {
  for (const block of text.split("\n\n")) {
    const fields = new Map(block.split("\n").map((line) => line.split(/: ?(.*)/s, 2) as [string, string]));
    const data = fields.get("data");
    const id = fields.get("id");
    if (data === undefined) continue;
    yield {
      event: fields.get("event") ?? "message",
      ...(id !== undefined && { id }),
      data: JSON.parse(data),
    };
  }
}
