/** How full the publisher is. */
export interface PublisherState {
  readonly queuedEvents: number;
  readonly queuedBytes: number;
  readonly envelopesInFlight: number;
  readonly maxQueuedEvents: number;
  readonly maxQueuedBytes: number;
}
