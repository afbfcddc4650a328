import type { FailureClass } from '@belay/contract';

/** Why one attempt failed: a value, never thrown. */
export interface Failure {
  readonly class: FailureClass;
  /** HTTP status of the upstream; null where none came. */
  readonly status: number | null;
  /** A clause for people, without the upstream's body: `429, resets in 12 s`, `silent 2.0 s`, `connection refused`. */
  readonly detail: string;
  /** From Retry-After in any of its forms, or from a reset header of an exhausted limit; null: not said. */
  readonly retryAfterMs: number | null;
  /** A Rate that blames the size of this request alone: it moves on, and cools nobody down. */
  readonly oversize: boolean;
  /** A Timeout during which not a byte came from the target (no headers, no ping). */
  readonly silent: boolean;
  /**
   * What may go back to the client for Client, Context and Content, and for a Missing where the application chose the model: the upstream's own answer. A Content that has one
   * is the provider's decision (filtered): it goes back at once unless a trigger says otherwise. A Content without one
   * (empty, a tool call that the model got wrong) is the model's fault: the next target is asked.
   */
  readonly answer: UpstreamAnswer | null;
}

/** The upstream's own error answer, to be handed on unchanged where a failure returns to the client. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** Upstream's x-request-id, kept, as SDKs show it; null where none came. */
  readonly requestId: string | null;
}

/** A failure with the usual absences filled in. */
export function failure(name: FailureClass, detail: string, more: Partial<Omit<Failure, 'class' | 'detail'>> = {}): Failure {
  return { class: name, detail, status: null, retryAfterMs: null, oversize: false, silent: false, answer: null, ...more };
}
