import { exponentialBackoff, type Backoff, type BackoffLimits } from './backoff.ts';
import { sleep, type Clock, type Random } from './clock.ts';
import type { KubeClient, ListQuery } from './kube-client.ts';
import { isExpired, KubeError, kubeErrorOf } from './kube-error.ts';
import type { KubeObject, WatchEvent } from './kube-object.ts';
import { describePlace, type Place } from './resource-path.ts';
import { newStore, type Change, type Store, type WritableStore } from './store.ts';

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  /** Without a namespace: all of them. */
  readonly place: Place;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Thins an object before it is kept, e.g. a pod down to its annotations; `metadata.managedFields` go anyway. */
  readonly keep?: (object: T) => T;
  /** Called after the store has changed, in the order of the changes. What it throws is a problem, and no end. */
  readonly onChange: (change: Change<T>) => void;
  /** A failed list or watch, in one sentence, and how long the reflector waits before it tries again. */
  readonly onProblem?: (problem: { readonly message: string; readonly retryInMs: number }) => void;
  readonly limits?: Partial<ReflectorLimits>;
}

export interface ReflectorLimits {
  readonly backoff: BackoffLimits;
  /** A watch without an event or bookmark for so long is opened anew; an API server bookmarks about once a minute. */
  readonly idleMs: number;
  /** A list that has not been answered for so long has failed. */
  readonly listMs: number;
  readonly pageSize: number;
}

export interface Reflector<T extends KubeObject> {
  readonly store: Store<T>;
  /** True from the first complete list on, for good. */
  hasSynced(): boolean;
  /** Resolves with the first complete list; never, where the reflector is closed before. */
  readonly synced: Promise<void>;
  /** False once the loop has ended, for whatever reason: a failed liveness probe. */
  alive(): boolean;
  /** Milliseconds since the server last said anything, bookmarks included. */
  silentMs(): number;
  close(): Promise<void>;
}

/** client-go's figures, but for the idle watchdog, which it leaves to HTTP/2. */
const usualLimits: ReflectorLimits = { backoff: { firstMs: 800, longestMs: 30_000 }, idleMs: 150_000, listMs: 60_000, pageSize: 500 };
/** A stream that ends sooner was no watch but a refusal. */
const shortestWatchMs = 1_000;
/** So many watches in a row without one event, and the next try is a list. */
const fruitlessWatches = 5;
/** So many that were open and silent to their end: a server whose history was set back takes a watch from its future, and has nothing to say. */
const silentWatches = 2;
/** Nobody waits longer than this on a server's word. */
const longestRetryAfterMs = 300_000;

interface Loop<T extends KubeObject> {
  readonly options: ReflectorOptions<T>;
  readonly limits: ReflectorLimits;
  readonly store: WritableStore<T>;
  readonly backoff: Backoff;
  readonly signal: AbortSignal;
  readonly onSynced: () => void;
  /** Where the next watch starts; null: list first. */
  resourceVersion: string | null;
  fruitless: number;
  silent: number;
  heardMs: number;
}

/**
 * Keeps a store the same as one collection of the API server, to the standard of client-go's reflector: paged list,
 * watch from there with bookmarks, list again only where the server has forgotten.
 */
export function createReflector<T extends KubeObject>(options: ReflectorOptions<T>): Reflector<T> {
  const limits = { ...usualLimits, ...options.limits };
  const stop = new AbortController();
  const store = newStore<T>();
  let isSynced = false;
  let isAlive = true;
  let tellSynced = (): void => {};
  const synced = new Promise<void>((resolve) => { tellSynced = resolve; });
  const loop: Loop<T> = {
    options, limits, store, signal: stop.signal, backoff: exponentialBackoff(options.clock, options.random, limits.backoff),
    onSynced: () => { isSynced = true; tellSynced(); },
    resourceVersion: null, fruitless: 0, silent: 0, heardMs: options.clock.nowMs(),
  };
  const ended = run(loop).finally(() => { isAlive = false; });
  // Told by alive(), and by close() to whoever closes.
  ended.catch((error: unknown) => options.onProblem?.({ message: `the reflector of ${describePlace(options.place)} ended: ${messageOf(error)}`, retryInMs: Number.POSITIVE_INFINITY }));
  return {
    store, synced,
    hasSynced: () => isSynced,
    alive: () => isAlive,
    silentMs: () => options.clock.nowMs() - loop.heardMs,
    close: () => { stop.abort(); return ended; },
  };
}

async function run<T extends KubeObject>(loop: Loop<T>): Promise<void> {
  while (!loop.signal.aborted) {
    const waitMs = await attempt(loop);
    if (waitMs > 0) await sleep(loop.options.clock, waitMs, loop.signal);
  }
}

/** One list where needed and one watch; resolves to the wait before the next. */
async function attempt<T extends KubeObject>(loop: Loop<T>): Promise<number> {
  try {
    loop.resourceVersion ??= await listAll(loop);
    await watchOnce(loop, loop.resourceVersion);
    return 0;
  } catch (error) {
    return loop.signal.aborted ? 0 : waitAfter(loop, error);
  }
}

function waitAfter<T extends KubeObject>(loop: Loop<T>, error: unknown): number {
  if (mustList(error) || loop.fruitless >= fruitlessWatches || loop.silent >= silentWatches) {
    loop.resourceVersion = null;
    loop.fruitless = 0;
    loop.silent = 0;
  }
  const asked = error instanceof KubeError ? error.retryAfterMs : null;
  const waitMs = asked === null ? loop.backoff.nextMs() : Math.max(loop.limits.backoff.firstMs, Math.min(asked, longestRetryAfterMs)) * (1 + loop.options.random() / 10);
  loop.options.onProblem?.({ message: messageOf(error), retryInMs: waitMs });
  return waitMs;
}

/** A refusal that the same question would meet again; anything else is tried again from where the watch stood. */
function mustList(error: unknown): boolean {
  if (isExpired(error)) return true;
  return error instanceof KubeError && error.status < 500 && error.status !== 429 && error.status !== 408;
}

async function listAll<T extends KubeObject>(loop: Loop<T>): Promise<string> {
  const { items, resourceVersion } = await readPages(loop, loop.limits.pageSize);
  deliver(loop, loop.store.replaceAll(items));
  loop.onSynced();
  return resourceVersion;
}

interface Listed<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

/** Where the list is so long that its pages expire under way, all of it in one page (client-go's FullListIfExpired). */
async function readPages<T extends KubeObject>(loop: Loop<T>, limit: number): Promise<Listed<T>> {
  const items: T[] = [];
  const first = { ...selectors(loop.options), limit };
  for (let next: ListQuery = first; ;) {
    const page = await readPage(loop, next).catch((error: unknown) => {
      if (next.continue === undefined || !isExpired(error)) throw error;
      items.length = 0;
      return readPage(loop, selectors(loop.options));
    });
    for (const item of page.items ?? []) items.push(kept(loop, { ...typeOf(page), ...item }));
    const { resourceVersion = '', continue: more = '' } = (page.metadata as typeof page.metadata | undefined) ?? {};
    // An empty answer of whoever is no API server must not be taken for an empty collection.
    if (more === '' && resourceVersion === '') throw new Error(`list of ${describePlace(loop.options.place)}: an answer without a resourceVersion: it is no list of an API server`);
    if (more === '') return { items, resourceVersion };
    next = { ...first, continue: more };
  }
}

async function readPage<T extends KubeObject>(loop: Loop<T>, query: ListQuery): ReturnType<typeof loop.options.client.list<T>> {
  const { client, place } = loop.options;
  return timed(loop, loop.limits.listMs, async (signal) => {
    const page = await client.list<T>(place, query, signal);
    loop.heardMs = loop.options.clock.nowMs();
    return page;
  });
}

async function watchOnce<T extends KubeObject>(loop: Loop<T>, resourceVersion: string): Promise<void> {
  const { client, clock, random, place } = loop.options;
  const startedMs = clock.nowMs();
  const query = { ...selectors(loop.options), resourceVersion, timeoutSeconds: Math.round(300 + 300 * random()) };
  loop.fruitless++;
  const watch = (signal: AbortSignal, prolong: () => void): Promise<void> => client.watch(place, query, (event) => {
    prolong();
    receive(loop, event);
  }, signal);
  await timed(loop, loop.limits.idleMs, watch, () => { loop.silent++; });
  const lastedMs = clock.nowMs() - startedMs;
  if (lastedMs < shortestWatchMs) throw new Error(`watch of ${describePlace(place)}: the API server ended it after ${Math.round(lastedMs)} ms`);
}

/** Runs `action`, and ends it (after `onLate`) where `limitMs` pass without `prolong` being called. */
async function timed<T extends KubeObject, R>(loop: Loop<T>, limitMs: number, action: (signal: AbortSignal, prolong: () => void) => Promise<R>, onLate?: () => void): Promise<R> {
  const { clock, place } = loop.options;
  const late = new AbortController();
  const expire = (): void => {
    onLate?.();
    late.abort();
  };
  let disarm = clock.after(limitMs, expire);
  try {
    return await action(AbortSignal.any([loop.signal, late.signal]), () => {
      disarm();
      disarm = clock.after(limitMs, expire);
    });
  } catch (error) {
    throw late.signal.aborted ? new Error(`${describePlace(place)}: not a word from the API server for ${limitMs / 1_000} s`) : error;
  } finally {
    disarm();
  }
}

function receive<T extends KubeObject>(loop: Loop<T>, { type, object }: WatchEvent): void {
  loop.heardMs = loop.options.clock.nowMs();
  const what = `watch of ${describePlace(loop.options.place)}`;
  if (type === 'ERROR') throw kubeErrorOf(what, null, object);
  const seen = object as T;
  const before = loop.resourceVersion ?? '';
  const { resourceVersion } = seen.metadata;
  if (resourceVersion === undefined) throw new Error(`${what}: an event ${type} without a resourceVersion`);
  if (isBefore(resourceVersion, before)) throw setBack(what, resourceVersion, before);
  if (type === 'ADDED' || type === 'MODIFIED') deliver(loop, loop.store.put(kept(loop, seen)));
  else if (type === 'DELETED') deliver(loop, loop.store.remove(kept(loop, seen)));
  else if (type !== 'BOOKMARK') throw new Error(`${what}: an event of unknown type ${type}`);
  loop.resourceVersion = resourceVersion;
  loop.fruitless = 0;
  loop.silent = 0;
  // Of a server that can only bookmark and break, the waits go on growing.
  if (type !== 'BOOKMARK') loop.backoff.reset();
}

/** What was seen until now is of a history that is no more, as after etcd was restored from a backup. */
function setBack(what: string, seen: string, before: string): KubeError {
  return new KubeError(`${what}: resourceVersion ${seen} came after ${before}: the API server's history was set back`, { status: 410, reason: 'Expired', retryAfterMs: null, causes: [] });
}

/** By the order of resourceVersions of one kind (KEP-5504); any that is no number is of no order. */
function isBefore(one: string, other: string): boolean {
  const number = /^[1-9]\d*$/;
  return number.test(one) && number.test(other) && (one.length < other.length || (one.length === other.length && one < other));
}

function deliver<T extends KubeObject>(loop: Loop<T>, changes: readonly Change<T>[]): void {
  for (const change of changes) {
    try {
      loop.options.onChange(change);
    } catch (error) {
      loop.options.onProblem?.({ message: `a handler of ${describePlace(loop.options.place)} threw: ${messageOf(error)}`, retryInMs: 0 });
    }
  }
}

function kept<T extends KubeObject>({ options: { keep } }: Loop<T>, object: T): T {
  const { managedFields: _, ...metadata } = object.metadata;
  const slim = { ...object, metadata };
  return Object.freeze(keep === undefined ? slim : keep(slim));
}

/** Items of a list carry no kind of their own. */
function typeOf({ apiVersion, kind }: { readonly apiVersion?: string; readonly kind?: string }): { readonly apiVersion?: string; readonly kind?: string } {
  return { ...(apiVersion === undefined ? {} : { apiVersion }), ...(kind === undefined ? {} : { kind: kind.replace(/List$/, '') }) };
}

function selectors({ labelSelector, fieldSelector }: { readonly labelSelector?: string; readonly fieldSelector?: string }): { readonly labelSelector?: string; readonly fieldSelector?: string } {
  return { ...(labelSelector === undefined ? {} : { labelSelector }), ...(fieldSelector === undefined ? {} : { fieldSelector }) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
