/** One server-sent event. */
export interface Frame {
  /** "message" when it has no name. */
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

/** The server-sent events of an answer, until it ends. Comments and reconnection times are left out. */
export async function* readFrames(response: Response): AsyncGenerator<Frame, void, void> {
  if (response.body === null) return;
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of response.body) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const frame = readBlock(block);
      if (frame !== undefined) yield frame;
    }
  }
}

function readBlock(block: string): Frame | undefined {
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
