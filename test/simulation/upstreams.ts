import type { FailureClass } from '@belay/contract';
import { failure, type Failure } from '@belay/sidecar/core/failure/failure.ts';
import type { UpstreamMove, World } from './run-virtual.ts';

/** Answers in full: first content after `firstMs`, whole `restMs` later. */
export function says(firstMs: number, restMs = 100): readonly UpstreamMove[] {
  return [{ afterMs: Math.min(firstMs, 20), does: 'connect' }, { afterMs: firstMs, does: 'answer' }, { afterMs: firstMs + restMs, does: 'complete' }];
}

/** Connects, unless it is Unreachable, and fails with this class after `afterMs`. */
export function fails(name: FailureClass, afterMs = 50, more: Partial<Omit<Failure, 'class'>> = {}): readonly UpstreamMove[] {
  const failed = { afterMs, does: failure(name, more.detail ?? name.toLowerCase(), more) };
  return name === 'Unreachable' ? [failed] : [{ afterMs: Math.min(afterMs, 20), does: 'connect' }, failed];
}

/** 429, with Retry-After where `retryAfterMs` is given. */
export function limits(retryAfterMs: number | null = null, afterMs = 50): readonly UpstreamMove[] {
  const detail = retryAfterMs === null ? '429' : `429, resets in ${Math.round(retryAfterMs / 1_000)} s`;
  return fails('Rate', afterMs, { status: 429, retryAfterMs, detail });
}

/** Connects and says nothing more; with headers where `stirs`. */
export function silent(stirs = false): readonly UpstreamMove[] {
  return stirs ? [{ afterMs: 20, does: 'connect' }, { afterMs: 40, does: 'stir' }] : [{ afterMs: 20, does: 'connect' }];
}

/** First content, then a break after `restMs`. */
export function cut(firstMs: number, restMs = 100): readonly UpstreamMove[] {
  return [{ afterMs: Math.min(firstMs, 20), does: 'connect' }, { afterMs: firstMs, does: 'answer' }, { afterMs: firstMs + restMs, does: failure('Transient', 'connection reset') }];
}

/** A world of scripts: for each target what its first, second, … attempt meets; the last repeats. */
export function worldOf(scripts: Readonly<Record<string, readonly (readonly UpstreamMove[])[]>>, more: Partial<World> = {}): World {
  return {
    upstream: ({ name }, nth) => scripts[name]?.[Math.min(nth, (scripts[name]?.length ?? 0) - 1)] ?? [],
    hedge: () => null,
    readyAtMs: null,
    clientLeavesAtMs: null,
    random: () => 0.5,
    ...more,
  };
}
