import { createServer } from "node:net";
import { StartError } from "./start-error.ts";

/** A requested port, and the option that changes it. */
export interface WantedPort {
  /** Name of the listener: "API". */
  readonly name: string;
  /** 0 for any free port. */
  readonly port: number;
  /** The option in the error message when the port is in use: "--port". */
  readonly option: string;
}

/**
 * Checks that every port is free before anything is started, and picks free ones for 0.
 *
 * @returns the ports, in the given order
 * @throws StartError `PORT_IN_USE`, naming the port and the option
 */
export async function reservePorts(wanted: readonly WantedPort[], host: string): Promise<number[]> {
  const held: { port: number; release: () => Promise<void> }[] = [];
  try {
    // All ports are held until the last is found, so that no two get the same free port.
    for (const one of wanted) held.push(await hold(one, host));
    return held.map(({ port }) => port);
  } finally {
    for (const { release } of held) await release();
  }
}

function hold(wanted: WantedPort, host: string): Promise<{ port: number; release: () => Promise<void> }> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(refusal(wanted, host, cause)));
    server.listen({ port: wanted.port, host, exclusive: true }, () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : wanted.port;
      const release = () => new Promise<void>((released) => server.close(() => released()));
      resolve({ port, release });
    });
  });
}

function refusal({ name, port, option }: WantedPort, host: string, cause: NodeJS.ErrnoException): Error {
  const other = `Choose another one with ${option} (0 takes any free one).`;
  if (cause.code === "EADDRINUSE") {
    return new StartError(
      "PORT_IN_USE",
      `Port ${port} on ${host} for the ${name} is already in use. ${other}`,
      { cause },
    );
  }
  return new StartError(
    "PORT_IN_USE",
    `The ${name} can't listen on port ${port} on ${host}: ${cause.message}. ${other}`,
    {
      cause,
    },
  );
}
