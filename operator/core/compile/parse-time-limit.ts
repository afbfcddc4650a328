import { formatDuration, parseDuration, refused, type Parsed } from '@belay/contract';

/** What a routing table can carry; a sidecar would refuse the whole table for more. */
const longestMs = 2_147_483_647;

/** A duration that a table can carry, in milliseconds. The CRDs say so too, but a cluster may hold what it took before they did. */
export function parseTimeLimit(text: unknown, path: string, shortestMs: 0 | 1): Parsed<number> {
  const duration = parseDuration(text, path);
  if (!duration.ok || (duration.value >= shortestMs && duration.value <= longestMs)) return duration;
  return refused(path, `must be ${shortestMs === 0 ? '' : 'longer than 0s and '}at most ${formatDuration(longestMs)}, not ${JSON.stringify(text)}`);
}
