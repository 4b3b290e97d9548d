import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

interface Connection {
  /** Opened while the server was at its connection limit. */
  readonly isSurplus: boolean;
  /** Requests whose responses have not been sent yet. */
  inFlight: number;
  /** Those of them that are not served yet, because an earlier one is. */
  turns: (() => void)[];
  /** The newest request on it. */
  newest: IncomingMessage | undefined;
  /** Callback that runs once no more than this many are in flight. */
  waiting: { readonly until: number; readonly action: () => void } | undefined;
}

/**
 * Largest number of requests that a client may send on a connection before it has their responses. Node reads on while they wait, so
 * without an end a single connection could fill the memory.
 */
const MAX_IN_FLIGHT = 100;

/** The open connections of a server, with the requests in flight on each. */
export class Connections {
  private readonly known = new WeakMap<Duplex, Connection>();
  private readonly max: number;
  private open = 0;

  /** @param max number of connections beyond which further ones are surplus; at most twice as many are open */
  constructor(server: Server, max: number) {
    this.max = max;
    // Node closes connections beyond this number without a response, because responses have a cost too.
    server.maxConnections = 2 * max;
    server.on("connection", (socket) => this.add(socket));
    server.on("timeout", (socket) => this.dropIfStalled(socket));
  }

  /** Counts a request until its response is sent. Returns true for a request on a surplus connection. */
  begin(request: IncomingMessage, response: ServerResponse): boolean {
    const connection = this.known.get(request.socket) ?? this.add(request.socket);
    connection.inFlight += 1;
    connection.newest = request;
    response.once("close", () => {
      connection.inFlight -= 1;
      connection.turns.shift()?.();
      const { waiting } = connection;
      if (waiting === undefined || connection.inFlight > waiting.until) return;
      connection.waiting = undefined;
      waiting.action();
    });
    return connection.isSurplus;
  }

  /**
   * Serves a request that has begun when it is the oldest of its connection. Otherwise a client could have any number of responses made,
   * and read none. When the connection ends, those behind the oldest are never served: Node would not tell them that it has.
   */
  inTurn({ socket }: IncomingMessage, serve: () => void): void {
    const connection = this.known.get(socket);
    if (connection === undefined || connection.inFlight <= 1) serve();
    else if (connection.inFlight <= MAX_IN_FLIGHT) connection.turns.push(serve);
    else socket.destroy();
  }

  /** Runs `action` once every complete request of this connection has been answered. */
  whenAnswered(socket: Duplex, action: () => void): void {
    const connection = this.known.get(socket);
    const until = connection?.newest?.complete === false ? 1 : 0;
    if (connection === undefined || connection.inFlight <= until) action();
    else connection.waiting ??= { until, action };
  }

  private add(socket: Socket): Connection {
    this.open += 1;
    const connection: Connection = {
      isSurplus: this.open > this.max,
      inFlight: 0,
      turns: [],
      newest: undefined,
      waiting: undefined,
    };
    this.known.set(socket, connection);
    socket.once("close", () => {
      this.open -= 1;
      connection.turns = [];
    });
    return connection;
  }

  /**
   * Handles Node's idle timeout of a connection. It closes the connection of a client that does not read its response, and
   * one kept alive without a request. A connection that waits for its response is kept, and one whose first request is
   * arriving has other time limits.
   */
  private dropIfStalled(socket: Socket): void {
    const connection = this.known.get(socket);
    const isIdle = connection !== undefined && connection.inFlight === 0 && connection.newest !== undefined;
    if (socket.writableLength > 0 || isIdle) socket.destroy();
  }
}
