import type { SdkOutcome } from '../chat-client.ts';
import type { Outcome } from '../chat-outcome.ts';
import type { Seen } from '../stand-in.ts';

/** A request that an upstream saw. */
export interface Arrival {
  readonly upstream: string;
  readonly seen: Seen;
  /** The body without the mark. */
  readonly text: string;
}

/** What came of one step: one request, or the requests of a poll. */
export interface StepResult {
  readonly outcome: Outcome | SdkOutcome;
  /** Requests that upstreams saw for the last request of this step, in order. */
  readonly arrivals: readonly Arrival[];
  readonly sentAtMs: number;
  readonly endedAtMs: number;
}
