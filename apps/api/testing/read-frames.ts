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
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
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
}
