import type { KubeList, KubeObject, WatchEvent } from './kube-object.ts';
import type { ObjectPlace, Place } from './resource-path.ts';

export interface ListQuery {
  readonly limit?: number;
  readonly continue?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface WatchQuery {
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ApplyOptions {
  readonly fieldManager: string;
  /** Takes fields that others own: what a controller does with what is its own. */
  readonly force: boolean;
  readonly signal?: AbortSignal;
}

/** The part of the Kubernetes API that controllers use. Every call rejects with a `KubeError` where the server said no. */
export interface KubeClient {
  list<T extends KubeObject>(place: Place, query: ListQuery, signal?: AbortSignal): Promise<KubeList<T>>;
  /**
   * Streams events, bookmarks among them, until the server ends the stream (resolves), it breaks, a line cannot be
   * read, `onEvent` throws, or `signal` is aborted (each rejects).
   */
  watch(place: Place, query: WatchQuery, onEvent: (event: WatchEvent) => void, signal: AbortSignal): Promise<void>;
  get<T extends KubeObject>(place: ObjectPlace, signal?: AbortSignal): Promise<T>;
  create<T extends KubeObject>(place: Place | ObjectPlace, object: unknown, signal?: AbortSignal): Promise<T>;
  /** PUT: its resourceVersion, where it carries one, must be the server's. */
  replace<T extends KubeObject>(place: ObjectPlace, object: unknown, signal?: AbortSignal): Promise<T>;
  /** JSON merge patch (RFC 7386). */
  patch<T extends KubeObject>(place: ObjectPlace, patch: unknown, signal?: AbortSignal): Promise<T>;
  /** Server-side apply; creates where there is none. */
  apply<T extends KubeObject>(place: ObjectPlace, object: unknown, options: ApplyOptions): Promise<T>;
  delete(place: ObjectPlace, signal?: AbortSignal): Promise<void>;
}
