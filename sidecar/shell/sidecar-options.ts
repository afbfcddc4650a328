import type { ChainReport, Clock, EndpointEntry, KeyEntry, Parsed, Random, Secret, WallClock } from '@belay/contract';

/** A failure to rehearse (`--fault TARGET=KIND@SHARE`): put in place of the upstream, before the network. */
export interface Fault {
  readonly target: string;
  readonly kind: '500' | '429' | 'refused' | 'silent' | 'stall' | 'cut';
  /** Share of attempts, 0 to 1. */
  readonly share: number;
}

export interface SidecarOptions {
  /** Where applications reach it: loopback, unless a client key is set. */
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  readonly adminAddress: string;
  readonly adminPort: number;
  /** First half of every request id. */
  readonly podName: string;
  /** Plain http to loopback is allowed: `belay run`, never a pod. */
  readonly standalone: boolean;
  /** Origins that a web page may call from; empty: none. */
  readonly allowOrigins: readonly string[];
  /** Demanded of applications as a bearer token, where `--listen` opens more than loopback; null: not demanded. */
  readonly clientKey: Secret | null;
  /** Sent to local targets as a bearer token: `belay run` alone started their servers. Default: none. */
  readonly localKey?: Secret;
  readonly faults: readonly Fault[];
  /** Chains that the pod's annotation asks for; default `*`: all of the namespace. */
  readonly chains?: readonly string[];
  /** Why no table has come yet: a clause for whoever asks meanwhile. */
  readonly whyNoTable?: () => string;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
  /** One JSON line each; never a key, a prompt or an answer. */
  readonly log: (line: LogLine) => void;
}

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  /** Noun and verb, past: `request-fell-back`, `table-applied`. */
  readonly event: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** One data plane: in a pod, or inside `belay run`. */
export interface Sidecar {
  /** Resolves once both ports listen; rejects with an Error whose message is one sentence (a port in use). */
  listen(): Promise<{ readonly port: number; readonly adminPort: number }>;
  /** Serves this table from the next request on, or says why not and serves the last good one. */
  applyTable(table: unknown): Parsed<{ readonly version: string }>;
  /** Replaces all keys. Applies at once. */
  applyKeys(keys: readonly KeyEntry[]): void;
  /** Replaces all endpoints of local targets. Applies at once. */
  applyEndpoints(endpoints: readonly EndpointEntry[]): void;
  /** What was counted since the start, of the chains that are served now. */
  report(): readonly ChainReport[];
  /** Stops accepting, lets running requests end for at most `graceMs`, then destroys what is left. */
  close(graceMs: number): Promise<void>;
}
