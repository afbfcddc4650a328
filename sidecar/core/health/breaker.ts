import type { Random } from '@belay/contract';
import { createAttemptRing, type AttemptRing } from './attempt-ring.ts';

/** A hard failure, as far as the breaker cares. */
export interface HardFailure {
  readonly atMs: number;
  /** When its attempt was sent. */
  readonly startedMs: number;
  readonly probe: boolean;
  /** Content had come before it broke. */
  readonly answered: boolean;
  /** `Silent`: a Timeout of a streamed attempt without a byte; `Stirred`: one with headers or pings; null: no such. */
  readonly timeout: 'Silent' | 'Stirred' | null;
  /** Any Timeout. */
  readonly timedOut: boolean;
  readonly retryAfterMs: number | null;
}

/**
 * The breaker of one target (routing rule 7). It opens by what attempts did that were sent after it last opened, lets one
 * probe at a time through when it is half-open, and closes by one success. Times are the clock's milliseconds.
 */
export interface Breaker {
  sent(atMs: number): void;
  /** First content of an attempt sent at `startedMs`. */
  answered(atMs: number, startedMs: number): void;
  /** An attempt that had answered ended well. */
  completed(): void;
  failed(failure: HardFailure): void;
  state(atMs: number): 'closed' | 'open' | 'half-open';
  /** Until it is half-open; 0 where it is not open. */
  opensForMs(atMs: number): number;
}

const maxRun = 5;
const windowMs = 30_000;
const minAttempts = 8;
const minSuccess = 0.7;
const firstOpeningMs = 2_000;
const maxOpeningMs = 10_000;
/** A probe that times out costs its user the whole silence: probe less often. */
const maxSilentOpeningMs = 20_000;
const maxRetryAfterMs = 300_000;
const jitter = 0.25;
const forgetAfterMs = 60_000;
const maxStirredTimeouts = 2;

interface BreakerState {
  isOpen: boolean;
  openedMs: number;
  openUntilMs: number;
  closedMs: number;
  /** n of 2 s × 2ⁿ. */
  openings: number;
  /** Hard failures in a row. */
  run: number;
  /** The run that an answer ended which may still break. */
  runBeforeAnswer: number;
  stirredTimeouts: number;
  lastAnsweredMs: number;
}

export function createBreaker(random: Random): Breaker {
  const ring = createAttemptRing();
  const breaker: BreakerState = {
    isOpen: false, openedMs: -Infinity, openUntilMs: 0, closedMs: -Infinity, openings: 0, run: 0, runBeforeAnswer: 0, stirredTimeouts: 0, lastAnsweredMs: -Infinity,
  };

  function answered(atMs: number, startedMs: number): void {
    breaker.lastAnsweredMs = atMs;
    breaker.stirredTimeouts = 0;
    if (breaker.run > 0) breaker.runBeforeAnswer = breaker.run;
    breaker.run = 0;
    if (!breaker.isOpen || startedMs < breaker.openedMs) return;
    Object.assign(breaker, { isOpen: false, closedMs: atMs, runBeforeAnswer: 0 });
    ring.clear();
  }

  function failed(failure: HardFailure): void {
    const { atMs, startedMs, probe, answered: hadAnswered } = failure;
    if (startedMs < breaker.openedMs) return;
    if (breaker.isOpen) {
      if (probe && stateAt(breaker, atMs) === 'half-open') open(breaker, failure, random());
      return;
    }
    ring.failed(atMs);
    countFailure(breaker, hadAnswered);
    const isLame = isUnresponsive(breaker, failure);
    if (breaker.run >= maxRun || isLame || isUnsuccessful(ring, atMs)) open(breaker, failure, random());
  }

  return {
    sent: (atMs) => { ring.attempted(atMs); },
    answered, failed,
    completed: () => { breaker.runBeforeAnswer = 0; },
    state: (atMs) => stateAt(breaker, atMs),
    opensForMs: (atMs) => (breaker.isOpen ? Math.max(0, breaker.openUntilMs - atMs) : 0),
  };
}

function stateAt({ isOpen, openUntilMs }: BreakerState, atMs: number): 'closed' | 'open' | 'half-open' {
  if (!isOpen) return 'closed';
  return atMs < openUntilMs ? 'open' : 'half-open';
}

/** An answer that broke takes back that it ended the run before it. */
function countFailure(breaker: BreakerState, hadAnswered: boolean): void {
  breaker.run += 1 + (hadAnswered ? breaker.runBeforeAnswer : 0);
  if (hadAnswered) breaker.runBeforeAnswer = 0;
}

function isUnsuccessful(ring: AttemptRing, atMs: number): boolean {
  const { attempts, failures } = ring.counts(atMs, windowMs);
  return attempts >= minAttempts && 1 - failures / attempts < minSuccess;
}

/** Not a byte once, or nothing but headers and pings twice in a row, while the target answered nobody else either. */
function isUnresponsive(breaker: BreakerState, { timeout, startedMs }: HardFailure): boolean {
  if (timeout === null || breaker.lastAnsweredMs > startedMs) {
    breaker.stirredTimeouts = 0;
    return false;
  }
  if (timeout === 'Silent') return true;
  breaker.stirredTimeouts += 1;
  return breaker.stirredTimeouts >= maxStirredTimeouts;
}

/** 2 s × 2ⁿ ± 25 %, capped; a Retry-After makes it longer. n starts over after 60 s closed. */
function open(breaker: BreakerState, { atMs, probe, timedOut, retryAfterMs }: HardFailure, chance: number): void {
  const startsOver = !breaker.isOpen && atMs - breaker.closedMs >= forgetAfterMs;
  const openings = startsOver ? 0 : breaker.openings + 1;
  const capMs = probe && timedOut ? maxSilentOpeningMs : maxOpeningMs;
  const usualMs = Math.min(capMs, firstOpeningMs * 2 ** openings);
  const openMs = Math.min(capMs, usualMs * (1 + jitter * (2 * chance - 1)));
  Object.assign(breaker, {
    isOpen: true,
    openedMs: atMs,
    openUntilMs: atMs + Math.max(openMs, Math.min(retryAfterMs ?? 0, maxRetryAfterMs)),
    openings, run: 0, runBeforeAnswer: 0, stirredTimeouts: 0,
  });
}
