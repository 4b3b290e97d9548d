/** Thrown when the URL of a webhook, or an address that its name stands for, is one that nothing may be sent to. */
export class WebhookAddressError extends Error {
  override readonly name = "WebhookAddressError";
  readonly code = "WEBHOOK_ADDRESS";
}

/** Thrown for a secret of a webhook that can't be used. The message does not show it. */
export class WebhookSecretError extends Error {
  override readonly name = "WebhookSecretError";
  readonly code = "WEBHOOK_SECRET";
}

/** Thrown when the receiver of a webhook refuses an event. It is the reason of the event's dead letter. */
export class WebhookRefusedError extends Error {
  override readonly name = "WebhookRefusedError";
  readonly code = "WEBHOOK_REFUSED";
  /** The HTTP status of the answer. */
  readonly status: number;

  constructor(sink: string, status: number) {
    super(`The receiver of the webhook "${sink}" refused the event with status ${status}.`);
    this.status = status;
  }
}

/** Thrown when the receiver of a webhook answers 410: it wants no more events. */
export class WebhookGoneError extends Error {
  override readonly name = "WebhookGoneError";
  readonly code = "WEBHOOK_GONE";

  constructor(sink: string) {
    super(
      `The receiver of the webhook "${sink}" answered 410 and wants no more events. Nothing is sent to it until this process is started again.`,
    );
  }
}
