import { connect, isIP, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";
import { type HttpAnswer, readHttpAnswer } from "./http-answer.ts";

/** The connection ended or failed. */
export class ConnectionLostError extends Error {
  override readonly name = "ConnectionLostError";
  readonly code = "CONNECTION_LOST";
  /** Whether anything of the answer had arrived. */
  readonly isAnswering: boolean;

  constructor(isAnswering: boolean, options: ErrorOptions = {}) {
    const { cause } = options;
    super(cause instanceof Error ? cause.message || String(cause) : "the connection ended", options);
    this.isAnswering = isAnswering;
  }
}

interface Exchange {
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** A connection that carries one request after the other. */
export class HttpConnection {
  private readonly socket: Socket;
  private exchange: Exchange | undefined;
  private received: Buffer | undefined;
  private freeSince = 0;

  /** Connects; whether that succeeds shows in the first exchange. */
  constructor(url: URL) {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const isSecure = url.protocol === "https:";
    const port = Number(url.port || (isSecure ? 443 : 80));
    const servername = isIP(host) === 0 ? { servername: host } : {};
    this.socket = isSecure
      ? connectSecurely({ host, port, ...servername, ALPNProtocols: ["http/1.1"] })
      : connect({ host, port });
    // Every request is one write, so there is nothing to wait for before it leaves.
    this.socket.setNoDelay(true);
    this.socket.on("data", (chunk) => this.take(chunk, false));
    this.socket.on("end", () => this.take(Buffer.alloc(0), true));
    this.socket.on("error", (cause) => this.fail(this.lost(cause)));
    this.socket.on("close", () => this.fail(this.lost()));
  }

  /** How long it has carried nothing, in milliseconds. */
  get idleMs(): number {
    return performance.now() - this.freeSince;
  }

  get isOpen(): boolean {
    return !this.socket.destroyed;
  }

  /**
   * Sends a whole request and gives its answer. One at a time.
   *
   * @throws ConnectionLostError, the reason given to `destroy`, or an Error when the answer is not HTTP
   */
  send(request: string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(this.lost());
      this.exchange = { resolve, reject };
      this.socket.write(request);
    });
  }

  destroy(reason: Error): void {
    this.fail(reason);
  }

  private take(chunk: Buffer, isEnded: boolean): void {
    // When nobody has asked, what arrives cannot be told from a later answer.
    if (this.exchange === undefined || (isEnded && this.received === undefined)) {
      this.fail(this.lost());
      return;
    }
    this.received = this.received === undefined ? chunk : Buffer.concat([this.received, chunk]);
    try {
      const answer = readHttpAnswer(this.received, isEnded);
      if (answer !== undefined) this.conclude(this.exchange, answer);
    } catch (error) {
      this.fail(error);
    }
  }

  private conclude({ resolve }: Exchange, answer: HttpAnswer): void {
    this.exchange = undefined;
    this.received = undefined;
    this.freeSince = performance.now();
    if (!answer.isReusable) this.socket.destroy();
    resolve(answer);
  }

  private lost(cause?: Error): ConnectionLostError {
    return new ConnectionLostError(this.received !== undefined, { cause });
  }

  private fail(error: unknown): void {
    this.socket.destroy();
    this.exchange?.reject(error);
    this.exchange = undefined;
  }
}
