import type { Clock } from './clock.ts';
import { objectKey, type KubeObject } from './kube-object.ts';

export interface KubeEvent {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, one of few. */
  readonly reason: string;
  readonly message: string;
}

/** One Event object and its repeats; who writes it fills in `name`, `firstTimestamp` and `exists`. */
export interface CorrelatedEvent extends KubeEvent {
  count: number;
  name?: string;
  firstTimestamp?: string;
  exists: boolean;
}

interface Bucket { tokens: number; filledMs: number }
interface Group { readonly messages: Set<string>; lastMs: number }

/** client-go's figures: 25 Events of one object at once and one more every 300 s; more than 10 messages in 10 min are combined. */
const burst = 25;
const refillMs = 300_000;
const mostMessages = 10;
const groupMs = 600_000;
/** Longest anything is remembered for want of room. */
const mostRemembered = 4_096;

/**
 * What becomes of an Event, as client-go's EventCorrelator decides: null where its object floods; the same Event with a
 * higher count where it repeats; one combined Event where only messages differ, too many of them.
 */
export function correlateEvents(clock: Clock): (object: KubeObject, event: KubeEvent) => CorrelatedEvent | null {
  const buckets = new Map<string, Bucket>();
  const groups = new Map<string, Group>();
  const known = new Map<string, CorrelatedEvent>();

  const isCombined = (key: string, message: string): boolean => {
    const now = clock.nowMs();
    const old = groups.get(key);
    const group = old !== undefined && now - old.lastMs <= groupMs ? old : { messages: new Set<string>(), lastMs: now };
    group.lastMs = now;
    remember(groups, key, group);
    if (group.messages.size >= mostMessages && !group.messages.has(message)) return true;
    group.messages.add(message);
    return false;
  };
  const mayPass = (key: string): boolean => {
    const now = clock.nowMs();
    const bucket = buckets.get(key) ?? { tokens: burst, filledMs: now };
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.filledMs) / refillMs);
    bucket.filledMs = now;
    remember(buckets, key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  };
  return (object, event) => {
    const about = JSON.stringify([object.kind, objectKey(object), object.metadata.uid]);
    const alike = JSON.stringify([about, event.type, event.reason]);
    const combined = isCombined(alike, event.message);
    const key = combined ? alike : JSON.stringify([alike, event.message]);
    const message = combined ? `(combined from similar events): ${event.message}` : event.message;
    if (!mayPass(about)) return null;
    const before = known.get(key);
    const next = Object.assign(before ?? { count: 0, exists: false }, event, { message });
    next.count++;
    remember(known, key, next);
    return next;
  };
}

/** Puts it last; what was used longest ago goes first. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= mostRemembered) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
