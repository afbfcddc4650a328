import { correlateEvents, type CorrelatedEvent, type KubeEvent } from './event-correlator.ts';
import { sleep, type Clock, type Random, type WallClock } from './clock.ts';
import type { KubeClient } from './kube-client.ts';
import { hasStatus, isNamespaceTerminating, KubeError } from './kube-error.ts';
import type { KubeObject } from './kube-object.ts';

export interface EventRecorderOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
  /** `source.component` of each Event, e.g. `belay-controller`. */
  readonly component: string;
  /** An Event that could not be told, in one sentence. */
  readonly onProblem?: (message: string) => void;
}

export interface EventRecorder {
  /** Tells of `object` (which names its own apiVersion and kind); never throws or waits. */
  record(object: KubeObject, event: KubeEvent): void;
  /** Sends what waits, each once at most, and ends. */
  close(): Promise<void>;
}

const resource = { group: '', version: 'v1', plural: 'events' };
/** More than this wait only where the API server is away; the newest are dropped (client-go's broadcaster). */
const longestQueue = 1_000;
/** client-go tries 12 times, 10 s apart, times 0 to 1 the first time. */
const mostTries = 12;
const retryMs = 10_000;
/** Longest message that the API server takes. */
const longestMessage = 1_024;

/** Writes Events of core/v1, repeats as a count on the one before, floods cut off, as client-go's recorder does. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { clock, wallClock, component, onProblem } = options;
  const correlate = correlateEvents(clock);
  const names = nameSource(options);
  const waiting: (() => Promise<void>)[] = [];
  const stop = new AbortController();
  let sending: Promise<void> | null = null;

  const drain = async (): Promise<void> => {
    for (let send = waiting.shift(); send !== undefined; send = waiting.shift()) await send();
    sending = null;
  };
  const enqueue = (send: () => Promise<void>): void => {
    if (waiting.length >= longestQueue) onProblem?.(`an Event was dropped: ${longestQueue} wait already`);
    else waiting.push(send);
    sending ??= drain();
  };
  return {
    record(object, event) {
      if (stop.signal.aborted) return;
      const known = correlate(object, { ...event, message: event.message.slice(0, longestMessage) });
      if (known === null) return;
      const now = timeOf(wallClock());
      known.name ??= names(object);
      known.firstTimestamp ??= now;
      const { count } = known;
      const body = describeEvent(object, known, component, now);
      enqueue(() => deliver(options, stop.signal, known, body, count));
    },
    async close() {
      stop.abort();
      await sending;
    },
  };
}

/** Tries until it is taken, refused for good, or has been tried too often. */
async function deliver(options: EventRecorderOptions, stop: AbortSignal, known: CorrelatedEvent, body: EventBody, count: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await send(options.client, known, body, count);
      return;
    } catch (error) {
      if (isNamespaceTerminating(error)) return;
      if (isFinal(error) || stop.aborted || tries === mostTries) {
        options.onProblem?.(`Event ${body.reason} of ${body.involvedObject.kind} ${body.involvedObject.name} is lost: ${error instanceof Error ? error.message : String(error)}`);
        return;
      }
      await sleep(options.clock, tries === 1 ? retryMs * options.random() : retryMs, stop);
    }
  }
}

/** A message that is refused, say: no later try fares better. */
function isFinal(error: unknown): boolean {
  return error instanceof KubeError && error.status < 500 && error.status !== 429;
}

async function send(client: KubeClient, known: CorrelatedEvent, body: EventBody, count: number): Promise<void> {
  const { namespace, name } = body.metadata;
  if (known.exists) {
    try {
      await client.patch({ resource, namespace, name }, { count, message: body.message, lastTimestamp: body.lastTimestamp });
      return;
    } catch (error) {
      // An Event lives an hour; the next of its kind begins anew.
      if (!hasStatus(error, 404)) throw error;
    }
  }
  try {
    await client.create({ resource, namespace }, body);
  } catch (error) {
    // The try before was taken, and its answer lost.
    if (!hasStatus(error, 409)) throw error;
  }
  known.exists = true;
}

type EventBody = ReturnType<typeof describeEvent>;

function describeEvent(object: KubeObject, { name, count, type, reason, message, firstTimestamp }: CorrelatedEvent, component: string, now: string) {
  const { namespace, name: objectName, uid, resourceVersion } = object.metadata;
  return {
    apiVersion: 'v1', kind: 'Event', metadata: { namespace: namespace ?? 'default', name: name ?? '' },
    involvedObject: { apiVersion: object.apiVersion, kind: object.kind, name: objectName, namespace, uid, resourceVersion },
    type, reason, message, count, firstTimestamp: firstTimestamp ?? now, lastTimestamp: now,
    source: { component }, reportingComponent: component, reportingInstance: '',
  };
}

/** The object's name and a suffix that no other Event has; a name holds 253 characters, and a dot in it stands between letters or digits. */
function nameSource({ wallClock, random }: EventRecorderOptions): (object: KubeObject) => string {
  return ({ metadata }) => `${metadata.name.slice(0, 220).replace(/[-.]+$/, '')}.${wallClock().toString(16)}${Math.floor(random() * 2 ** 32).toString(16).padStart(8, '0')}`;
}

/** Time of the Kubernetes API: RFC 3339 to the second. */
function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
