import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

interface Connection {
  /** Opened while the server had as many connections as it takes. */
  readonly isSurplus: boolean;
  /** Requests whose answers are not yet out. */
  inFlight: number;
  /** The newest request on it. */
  newest: IncomingMessage | undefined;
  /** Runs once no more than this many are in flight. */
  waiting: { readonly until: number; readonly action: () => void } | undefined;
}

/** The open connections of a server: how many there are, and which of them are being answered. */
export class Connections {
  private readonly known = new WeakMap<Duplex, Connection>();
  private readonly max: number;
  private open = 0;

  /** @param max beyond this many, connections are surplus; twice as many are open at most */
  constructor(server: Server, max: number) {
    this.max = max;
    // Node closes what is beyond this without an answer: answers, too, cost something.
    server.maxConnections = 2 * max;
    server.on("connection", (socket) => this.add(socket));
    server.on("timeout", (socket) => this.dropIfStalled(socket));
  }

  /** Counts a request until its answer is out. True when it came on a surplus connection. */
  begin(request: IncomingMessage, response: ServerResponse): boolean {
    const connection = this.known.get(request.socket) ?? this.add(request.socket);
    connection.inFlight += 1;
    connection.newest = request;
    response.once("close", () => {
      connection.inFlight -= 1;
      const { waiting } = connection;
      if (waiting === undefined || connection.inFlight > waiting.until) return;
      connection.waiting = undefined;
      waiting.action();
    });
    return connection.isSurplus;
  }

  /** Runs it once every request of this connection that arrived whole has its answer. */
  whenAnswered(socket: Duplex, action: () => void): void {
    const connection = this.known.get(socket);
    const until = connection?.newest?.complete === false ? 1 : 0;
    if (connection === undefined || connection.inFlight <= until) action();
    else connection.waiting ??= { until, action };
  }

  private add(socket: Socket): Connection {
    this.open += 1;
    const connection = {
      isSurplus: this.open > this.max,
      inFlight: 0,
      newest: undefined,
      waiting: undefined,
    };
    this.known.set(socket, connection);
    socket.once("close", () => {
      this.open -= 1;
    });
    return connection;
  }

  /**
   * Node says that nothing has moved on the connection for the time that is allowed. Dropped are a client that does not
   * take its answer and a connection kept alive without a request. One that waits for its answer is left alone, and one
   * whose first request is on its way has time limits of its own.
   */
  private dropIfStalled(socket: Socket): void {
    const connection = this.known.get(socket);
    const isIdle = connection !== undefined && connection.inFlight === 0 && connection.newest !== undefined;
    if (socket.writableLength > 0 || isIdle) socket.destroy();
  }
}
