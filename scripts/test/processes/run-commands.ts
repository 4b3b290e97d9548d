import { runCli } from "@synap/cli/operating/run-cli.ts";

// Runs command lines of `synap`, given as JSON, one after the other in one process, and prints how each ended.
const commands: readonly (readonly string[])[] = JSON.parse(process.argv[2] ?? "[]");

/** Keeps what is written to a stream, which prints it no more, until it is given back. */
function capture(stream: NodeJS.WriteStream): { texts: string[]; giveBack: () => void } {
  const texts: string[] = [];
  const write = stream.write;
  stream.write = (text: string | Uint8Array) => {
    texts.push(String(text));
    return true;
  };
  const giveBack = () => {
    stream.write = write;
  };
  return { texts, giveBack };
}

const ended: { code: unknown; out: string; error: string }[] = [];
// Each command listens for a reader that has gone away.
for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0);
for (const command of commands) {
  const out = capture(process.stdout);
  const error = capture(process.stderr);
  process.exitCode = undefined;
  await runCli(command);
  out.giveBack();
  error.giveBack();
  ended.push({ code: process.exitCode ?? 0, out: out.texts.join(""), error: error.texts.join("") });
}
process.exitCode = 0;
console.log(JSON.stringify(ended));
