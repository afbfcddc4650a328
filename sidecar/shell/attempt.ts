import type { Clock, TokenUsage, WallClock } from '@belay/contract';
import type { AttemptEvent, PlannedTarget } from '../core/attempt/protocol.ts';
import type { Failure } from '../core/failure/failure.ts';
import type { CompiledTarget } from '../core/plan/compiled-table.ts';
import type { ClientRequest, StreamReader } from '../dialects/dialect.ts';
import type { Watched } from './request-timers.ts';
import type { FailureContext } from '../dialects/openai-chat/upstream/failure.ts';
import type { UpstreamCall } from './upstream.ts';

/** Where a committed stream's bytes go. */
export interface ByteSink {
  /** False: the client is slow; `onDrain` is called once it has caught up. */
  write(bytes: Uint8Array, onDrain: () => void): boolean;
}

/** One try at one target, from the first byte sent to the last one read. Changed by the files that read its answer. */
export interface Attempt extends Watched {
  readonly number: number;
  readonly target: CompiledTarget;
  readonly planned: PlannedTarget;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  /** Where it asks for a stream, bytes are held until the commit; otherwise nothing is held, the reader gathers. */
  readonly request: ClientRequest;
  /** Targets that refuse to stream, by health key. */
  readonly unaryOnly: Set<string>;
  /** Hands an event to the core. */
  readonly tell: (event: AttemptEvent) => void;
  /** A bug: ends the request, not the process. */
  readonly crash: (error: unknown) => void;
  call: UpstreamCall | null;
  /** Sends it again as a unary request, uncounted. */
  resendUnary: () => void;
  /** Cancelled, failed or whole: nothing is told any more. */
  over: boolean;
  status: number;
  reader: StreamReader | null;
  /** Told: a byte came; first content came. */
  stirred: boolean;
  answered: boolean;
  /** What waits for the commit. */
  held: Uint8Array[];
  heldBytes: number;
  sink: ByteSink | null;
  /** `[DONE]` as it came: it goes out behind whatever Belay has to add. */
  endBytes: Uint8Array | null;
  /** The whole answer for a unary client, once it was checked. */
  answer: string | null;
  servedModel: string | null;
  usage: TokenUsage | null;
  /** The provider's own x-request-id. */
  requestId: string | null;
  /** Version of the key that was sent; null where none was. */
  keyVersion: string | null;
  lastFedMs: number;
  reading: boolean;
  readonly blockOpen: boolean;
  /** The one timer of its own: an error's body or a stream's usage that does not come. */
  disarm: (() => void) | null;
}

export type AttemptOptions = Pick<Attempt, 'number' | 'target' | 'planned' | 'clock' | 'wallClock' | 'request' | 'unaryOnly' | 'tell' | 'crash'>;

export function newAttempt(options: AttemptOptions): Attempt {
  return {
    ...options,
    call: null, resendUnary: () => undefined, over: false, status: 0, reader: null, stirred: false, answered: false, held: [], heldBytes: 0, sink: null,
    endBytes: null, answer: null, servedModel: null, usage: null, requestId: null, keyVersion: null,
    lastFedMs: options.clock.nowMs(), reading: true, disarm: null,
    get blockOpen() {
      return this.reader?.blockOpen ?? false;
    },
  };
}

/** What reads one answer's body, chosen by its head. */
export interface BodyReader {
  data(chunk: Uint8Array): void;
  end(): void;
  failed(failure: Failure): void;
}

/** A byte came: not silence. */
export function stir(attempt: Attempt): void {
  if (attempt.stirred || attempt.over) return;
  attempt.stirred = true;
  attempt.tell({ type: 'attempt-stirred', attempt: attempt.number });
}

/** First content came. */
export function answered(attempt: Attempt): void {
  if (attempt.answered || attempt.over) return;
  attempt.answered = true;
  attempt.tell({ type: 'attempt-answered', attempt: attempt.number });
}

/** The whole answer is here and checked. */
export function complete(attempt: Attempt): void {
  answered(attempt);
  if (attempt.over) return;
  stop(attempt);
  attempt.tell({ type: 'attempt-completed', attempt: attempt.number });
}

export function fail(attempt: Attempt, failure: Failure): void {
  if (attempt.over) return;
  cancel(attempt);
  attempt.tell({ type: 'attempt-failed', attempt: attempt.number, failure });
}

/** Destroys the connection; nothing is told any more. */
export function cancel(attempt: Attempt): void {
  stop(attempt);
  attempt.call?.cancel();
}

/** Nothing is told any more; the connection is left to itself. */
function stop(attempt: Attempt): void {
  attempt.over = true;
  attempt.disarm?.();
  attempt.disarm = null;
}

/** Work that a socket or a timer starts. */
export function safely(attempt: Attempt, work: () => void): void {
  try {
    work();
  } catch (error) {
    attempt.crash(error);
  }
}

/** What the dialect's classification knows beside an answer itself. */
export function failureContext({ target, request, wallClock }: Attempt): FailureContext {
  return { preset: target.provider.preset, wallNowMs: wallClock(), promptBytes: Buffer.byteLength(request.text) };
}
