import type { FailureClass } from '../failure-class.ts';
import type { MicroDollars } from '../money.ts';
import type { Parsed } from '../problem.ts';
import type { EndpointEntry, KeyEntry, RoutingTable } from '../routing-table.ts';

/** State-of-the-world resources of the wire, in the order in which they are sent: an address and a key come before the table that needs them. */
export const resourceTypes = ['endpoints', 'keys', 'hints', 'table'] as const;
export type ResourceType = (typeof resourceTypes)[number];

/** What a sidecar runs of each resource; null: nothing yet. */
export type HeldVersions = { readonly [type in ResourceType]: string | null };

/** First frame of a sidecar. Namespace and identity come from its token alone; `pod` and `uid` are for people and must match it. */
export interface HelloFrame {
  readonly frame: 'hello';
  readonly pod: string;
  readonly uid: string;
  /** Names, or `*` alone: every chain of the namespace. */
  readonly chains: readonly string[];
  readonly have: HeldVersions;
  readonly protocol: number;
  /** Of routing tables, those that it can read. */
  readonly schemaVersions: readonly number[];
}

/** The snapshot of this nonce is what runs now. */
export interface AckFrame {
  readonly frame: 'ack';
  readonly nonce: string;
}

/** The snapshot of this nonce was refused, in one sentence; what ran before runs on. */
export interface NackFrame {
  readonly frame: 'nack';
  readonly nonce: string;
  readonly error: string;
}

/** Totals since the sidecar's process started, so that a lost report loses nothing. Classes and numbers only: never a word of an upstream. */
export interface ReportFrame {
  readonly frame: 'report';
  readonly chains: readonly ChainReport[];
}

export interface ChainReport {
  readonly name: string;
  /** Requests that ended, and those of them that no target answered. */
  readonly requests: number;
  readonly failed: number;
  readonly targets: readonly TargetReport[];
}

export interface TargetReport {
  readonly name: string;
  /** Requests that this target answered. */
  readonly served: number;
  readonly attempts: number;
  readonly failures: number;
  readonly lastFailure: FailureClass | null;
  /** Whether traffic flows to it: the state of its breaker, or open while it is out for its key, its quota, its rate, or a model that it does not know. */
  readonly breaker: 'closed' | 'open' | 'half-open';
  readonly firstContentP50Ms: number | null;
}

/** Asks for a share of a SpendBudget. */
export interface LeaseRequestFrame {
  readonly frame: 'lease-request';
  readonly budget: string;
  readonly amount: MicroDollars;
}

export type ClientFrame = HelloFrame | AckFrame | NackFrame | ReportFrame | LeaseRequestFrame;

/** What the fleet knows of one model at one provider: open the breaker for it before asking. */
export interface HintEntry {
  readonly provider: string;
  readonly model: string;
  readonly failure: FailureClass;
  readonly forMs: number;
}

export interface ResourceData {
  readonly table: RoutingTable;
  readonly endpoints: readonly EndpointEntry[];
  readonly keys: readonly KeyEntry[];
  readonly hints: readonly HintEntry[];
}

/** One resource, whole, as it is sent. Equal content has an equal version; a version of keys is made of the keys' versions, never of keys. */
export type Resource = { readonly [type in ResourceType]: { readonly type: type; readonly version: string; readonly data: ResourceData[type] } }[ResourceType];

export type SnapshotFrame = Resource & { readonly frame: 'snapshot'; readonly nonce: string };

/** Grants a share of a SpendBudget. */
export interface LeaseFrame {
  readonly frame: 'lease';
  readonly budget: string;
  readonly amount: MicroDollars;
  readonly expiresInMs: number;
}

export interface PingFrame {
  readonly frame: 'ping';
}

/** This distributor will go: connect anew at a random moment within that time, and be served here until then. */
export interface GoawayFrame {
  readonly frame: 'goaway';
  readonly reconnectWithinMs: number;
}

export type ServerFrame = SnapshotFrame | LeaseFrame | PingFrame | GoawayFrame;

/**
 * A snapshot as it arrives: its data is judged apart from its nonce, so that bad data can be refused by nonce. A table is judged by whoever
 * compiles it.
 */
export type ReceivedSnapshot = { readonly frame: 'snapshot'; readonly version: string; readonly nonce: string } & (
  | { readonly type: 'table'; readonly data: unknown }
  | { readonly type: 'endpoints'; readonly data: Parsed<readonly EndpointEntry[]> }
  | { readonly type: 'keys'; readonly data: Parsed<readonly KeyEntry[]> }
  | { readonly type: 'hints'; readonly data: Parsed<readonly HintEntry[]> });

export type ReceivedServerFrame = ReceivedSnapshot | LeaseFrame | PingFrame | GoawayFrame;
