import type { HedgeBudget } from './target-health.ts';

/** Shares have at most four decimals: whole units add up exactly. */
const unitsPerToken = 10_000;
const maxTokens = 10;
const floorMs = 10_000;
const minInFlight = 3;
const inFlightShare = 0.2;

/**
 * Hedges of one chain (routing rule 5). Each admitted request pays `extraRequests` of a token into a bucket of 10 that
 * starts with 1; where none is left, one hedge per 10 s may still start. A share of 0 means none at all.
 */
export function createHedgeBudget(extraRequests: number): HedgeBudget {
  const share = Math.round(extraRequests * unitsPerToken);
  let units = unitsPerToken;
  let lastTakenMs = -Infinity;
  let requests = 0;
  let hedges = 0;

  function take(atMs: number): string | null {
    if (share === 0) return 'extraRequests is 0%';
    const most = Math.max(minInFlight, inFlightShare * requests);
    if (hedges >= most) return `${hedges} hedges in flight already`;
    if (units < unitsPerToken && atMs - lastTakenMs < floorMs) return 'no hedge token left';
    units = Math.max(0, units - unitsPerToken);
    lastTakenMs = atMs;
    hedges += 1;
    return null;
  }

  return {
    admitted: () => {
      requests += 1;
      units = Math.min(maxTokens * unitsPerToken, units + share);
    },
    finished: () => { requests = Math.max(0, requests - 1); },
    take,
    ended: () => { hedges = Math.max(0, hedges - 1); },
  };
}
