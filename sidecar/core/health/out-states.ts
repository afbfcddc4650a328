import type { Failure } from '../failure/failure.ts';
import type { HealthView } from './target-health.ts';

export type OutClass = 'Rate' | 'Auth' | 'Missing' | 'Quota';

/**
 * What keeps a target out for a reason of its own (routing rule 4): Rate until it returns, Auth until the key changes,
 * Missing until the spec does, Quota until its reset. Where nobody says when, one probe may look after 300 s.
 */
export interface OutStates {
  sent(atMs: number): void;
  /** An attempt sent at `startedMs` was refused, perhaps for such a reason. */
  refused(atMs: number, startedMs: number, failure: Failure | null, keyVersion: string | null): void;
  /** An attempt sent at `startedMs` was answered: what was said before it is over. */
  answered(startedMs: number): void;
  /** What keeps the target out, the longest first; null: nothing. */
  current(atMs: number): HealthView['out'];
  /** A probe is due: out by rule, and long enough. */
  needsProbe(atMs: number): boolean;
  keyChanged(version: string | null): void;
  specChanged(): void;
}

interface Out {
  readonly sinceMs: number;
  readonly untilMs: number;
  /** After `untilMs` one request looks; false: all may come. */
  readonly probed: boolean;
  readonly keyVersion: string | null;
  readonly detail: string;
}

const probeAfterMs = 300_000;
const maxRateMs = 300_000;
const firstRateMs = 1_000;
const maxUnsaidRateMs = 20_000;

export function createOutStates(): OutStates {
  const outs = new Map<OutClass, Out>();
  let unsaidRateMs = 0;
  /** undefined: nobody said yet which key is current. */
  let currentKey: string | null | undefined;
  let lastSentMs = -Infinity;
  /** Attempts sent until then asked for the model of an old spec. */
  let specChangedMs = -Infinity;

  function refused(atMs: number, startedMs: number, failure: Failure | null, keyVersion: string | null): void {
    if (failure === null || !isOutClass(failure.class)) return;
    const { detail, retryAfterMs } = failure;
    const name: OutClass = failure.class;
    if (isOutdated(name, startedMs, keyVersion)) return;
    const untilMs = atMs + (name === 'Rate' ? rateMs(startedMs, retryAfterMs) : outMs(name, retryAfterMs));
    // Of two signals the later deadline wins.
    if ((outs.get(name)?.untilMs ?? -Infinity) >= untilMs) return;
    outs.set(name, { sinceMs: atMs, untilMs, probed: name !== 'Rate' && !(name === 'Quota' && retryAfterMs !== null), keyVersion, detail });
  }

  /** It was said of a key or a spec that is no longer in use. */
  function isOutdated(name: OutClass, startedMs: number, keyVersion: string | null): boolean {
    if (name === 'Missing') return startedMs <= specChangedMs;
    return ofTheKey.has(name) && currentKey !== undefined && keyVersion !== currentKey;
  }

  /** Doubles from one refusal to the next, and not for requests that were under way together. */
  function rateMs(startedMs: number, retryAfterMs: number | null): number {
    if (retryAfterMs !== null) return Math.min(retryAfterMs, maxRateMs);
    const isSameRound = startedMs < (outs.get('Rate')?.sinceMs ?? -Infinity);
    if (unsaidRateMs === 0 || !isSameRound) unsaidRateMs = unsaidRateMs === 0 ? firstRateMs : Math.min(unsaidRateMs * 2, maxUnsaidRateMs);
    return unsaidRateMs;
  }

  function answered(startedMs: number): void {
    if (startedMs >= (outs.get('Rate')?.sinceMs ?? -Infinity)) unsaidRateMs = 0;
    for (const [name, { sinceMs }] of outs) if (startedMs >= sinceMs) outs.delete(name);
  }

  return {
    sent: (atMs) => { lastSentMs = atMs; },
    refused, answered,
    current: (atMs) => longestOf(outs, atMs),
    needsProbe: (atMs) => [...outs.values()].some(({ probed, untilMs }) => probed && untilMs <= atMs),
    keyChanged: (version) => {
      currentKey = version;
      for (const name of ofTheKey) if (outs.has(name) && outs.get(name)?.keyVersion !== version) outs.delete(name);
    },
    specChanged: () => {
      specChangedMs = lastSentMs;
      outs.delete('Missing');
    },
  };
}

function longestOf(outs: ReadonlyMap<OutClass, Out>, atMs: number): HealthView['out'] {
  let longest: HealthView['out'] = null;
  for (const [name, { untilMs, detail }] of outs) {
    const returnsInMs = untilMs - atMs;
    if (returnsInMs > (longest?.returnsInMs ?? 0)) longest = { class: name, returnsInMs, detail };
  }
  return longest;
}

/** What a change of the key ends. */
const ofTheKey: ReadonlySet<OutClass> = new Set<OutClass>(['Auth', 'Quota']);

function outMs(name: OutClass, retryAfterMs: number | null): number {
  return name === 'Quota' && retryAfterMs !== null ? retryAfterMs : probeAfterMs;
}

function isOutClass(name: string): name is OutClass {
  return name === 'Rate' || name === 'Auth' || name === 'Missing' || name === 'Quota';
}
