import type { ResourceType } from '@belay/contract';

/** Totals since the process started, for whoever prints metrics. No word of a token, a key or a sidecar stands in them. */
export interface DistributorCounters {
  /** TCP connections that were let through to TLS, and those that were not: too many waited, or are there. */
  accepted: number;
  turnedAway: number;
  handshakesFailed: number;
  streamsOpened: number;
  /** Answers other than 200, by status. */
  readonly refused: { [status: string]: number };
  /** Asked of the API server, and answered from the cache. */
  reviews: number;
  reviewsCached: number;
  /** Of those asked: the API server gave no answer. */
  reviewsFailed: number;
  readonly pushes: { [type in ResourceType]: number };
  bytesPushed: number;
  acks: number;
  nacks: number;
  reports: number;
  /** Streams that the distributor ended by itself. */
  closed: number;
}

export function newDistributorCounters(): DistributorCounters {
  return {
    accepted: 0, turnedAway: 0, handshakesFailed: 0, streamsOpened: 0, refused: {}, reviews: 0, reviewsCached: 0, reviewsFailed: 0,
    pushes: { endpoints: 0, keys: 0, hints: 0, table: 0 }, bytesPushed: 0, acks: 0, nacks: 0, reports: 0, closed: 0,
  };
}
