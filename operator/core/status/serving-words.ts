import { cutText } from './cut-text.ts';
import type { Fault } from './describe-fault.ts';

/** Who answered how much of a chain's requests since a moment, and why not the first. */
export interface FallbackFacts {
  readonly chain: string;
  /** Who should answer. */
  readonly preferred: string;
  /** Who answers most; null: nobody. */
  readonly target: string | null;
  /** Shares of requests, 0 to 1, most first; `null`: those that nobody answered. None of them is 0. */
  readonly shares: readonly { readonly target: string | null; readonly share: number }[];
  /** Of each target before the one that answers, in order; of all where nobody does. */
  readonly faults: readonly { readonly target: string; readonly fault: Fault; /** The fault, and what to do. */ readonly problem: string }[];
  /** When the first request fell back, by the wall clock. */
  readonly sinceWallMs: number;
}

/** Largest message of an Event (Kubernetes: events.k8s.io/v1, `note`). */
const maxEventLength = 1_024;
const dayMs = 86_400_000;
const minuteMs = 60_000;

/** `status.serving` at that moment: `gemini 94% since 02:51 (opus: Overload)`, `none since 02:51 (opus: Auth, local: Unreachable)`. */
export function describeFallback({ target, preferred, shares, faults, sinceWallMs }: FallbackFacts, wallMs: number): string {
  const since = `since ${sinceText(sinceWallMs, wallMs)} (${faults.map((one) => `${one.target}: ${one.fault}`).join(', ')})`;
  if (target === null) return `none ${since}`;
  const shown = target === preferred ? shares : shares.filter((one) => one.target === target);
  return `${shown.map((one) => `${one.target ?? 'unanswered'} ${percent(one.share)}`).join(', ')} ${since}`;
}

/** The message of `FallbackActive` at that moment. */
export function describeFallbackEvent({ chain, target, preferred, shares, faults, sinceWallMs }: FallbackFacts, wallMs: number): string {
  const since = `since ${sinceText(sinceWallMs, wallMs)} UTC`;
  const why = faults.map((one) => `${one.target}: ${one.problem}`).join('; ');
  const shareOf = (name: string | null) => shares.find((one) => one.target === name)?.share ?? 0;
  const unanswered = shareOf(null) === 0 ? '' : `, ${percent(shareOf(null))} are not answered`;
  if (target === null) return cutText(`No target answers the requests to chain ${chain} ${since}. ${why}.`, maxEventLength);
  const others = shares.filter((one) => one.target !== null && one.target !== preferred).map((one) => `${one.target ?? ''} ${percent(one.share)}`).join(', ');
  const text = target === preferred
    ? `${preferred} answers only ${percent(shareOf(preferred))} of the requests to chain ${chain} ${since}${others === '' ? '' : `, in its place ${others}`}${unanswered}. ${why}.`
    : `${target} answers requests to chain ${chain} in place of ${preferred} ${since} (${percent(shareOf(target))} of them so far${unanswered}). ${why}.`;
  return cutText(text, maxEventLength);
}

/** The message of `FallbackCleared`. */
export function describeClearedEvent(chain: string, preferred: string, target: string | null, sinceWallMs: number, wallMs: number): string {
  const before = target === null ? 'no target had' : target === preferred ? 'it had done so only in part' : `${target} had in its place`;
  return cutText(`${preferred} answers the requests to chain ${chain} again: ${before} since ${sinceText(sinceWallMs, wallMs)} UTC.`, maxEventLength);
}

/** A fallback as far as an Event tells of it. */
export interface ToldFallback {
  /** null: nobody answers. */
  readonly target: string | null;
  /** Of the first target; empty: not known. */
  readonly fault: string;
  readonly sinceWallMs: number;
}

/** The fallback that an earlier `status.serving` speaks of; null: of none. */
export function parseFallback(text: string, wallMs: number): ToldFallback | null {
  const [, target, date, hours, minutes, fault = ''] = /^(\S+)[^(]* since (?:(\d{4}-\d\d-\d\d) )?([01]\d|2[0-3]):([0-5]\d) \((?:[^:,]+: (\w+))?/.exec(text) ?? [];
  if (target === undefined) return null;
  const ofDay = (Number(hours) * 60 + Number(minutes)) * minuteMs;
  const today = Math.floor(wallMs / dayMs) * dayMs + ofDay;
  const sinceWallMs = date === undefined ? (today > wallMs ? today - dayMs : today) : Date.parse(`${date}T00:00:00Z`) + ofDay;
  // Somebody else's word, or a clock that was set back: nothing has begun in the future.
  return Number.isNaN(sinceWallMs) || sinceWallMs > wallMs ? null : { target: target === 'none' ? null : target, fault, sinceWallMs };
}

/** What of a `status.serving` changes with a fallback's begin and end alone: since when it holds, and that nobody answers. */
export function servingState(text: string): string {
  return `${text.startsWith('none ') ? 'none' : ''}${/ since [^(]+/.exec(text)?.[0] ?? ''}`;
}

/** `02:51` in UTC; with its date where that was a day ago or more. */
function sinceText(sinceWallMs: number, wallMs: number): string {
  const text = new Date(sinceWallMs).toISOString();
  const time = text.slice(11, 16);
  return wallMs - sinceWallMs < dayMs - minuteMs ? time : `${text.slice(0, 10)} ${time}`;
}

/** Whole percents; 0% and 100% only where it is just that. */
function percent(share: number): string {
  return share >= 1 ? '100%' : `${Math.min(99, Math.max(1, Math.round(share * 100)))}%`;
}
