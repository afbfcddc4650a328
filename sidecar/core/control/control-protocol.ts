import type { Bootstrap, ChainReport, ClientFrame, EndpointEntry, HeldVersions, HintEntry, KeyEntry, Parsed, ReceivedServerFrame } from '@belay/contract';

/**
 * The sidecar's end of the control stream. The shell opens connections, keeps timers, applies what it is told to and reports back; it decides
 * nothing. Connections are numbered in the order in which they are asked for; whatever an earlier one still says is ignored.
 */
export interface ControlState {
  readonly pod: string;
  readonly uid: string;
  readonly namespace: string;
  /** Names, or `*` alone. */
  readonly chains: readonly string[];
  readonly phase: 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';
  readonly connection: number;
  /** Connections lost in a row without a frame heard. */
  readonly failures: number;
  /** Token and CA were just read again because they were refused: the next refusal backs off. */
  readonly reread: boolean;
  /** The distributor asked for a new connection: the reconnect timer is armed, and this one serves until then. */
  readonly leaving: boolean;
  /** What runs now. */
  readonly have: HeldVersions;
  /** A stream has delivered these: the bootstrap copy comes too late for them. */
  readonly delivered: { readonly table: boolean; readonly endpoints: boolean };
}

/** Why a connection ended. `Unauthorized`: answered 401. `UnknownAuthority`: the server's certificate is of no CA that was read. */
export type LossCause = 'Unauthorized' | 'UnknownAuthority' | 'Other';

/** `silence`: nothing was heard for too long. `reconnect`: a pause before the next connection has passed. */
export type ControlTimer = 'silence' | 'reconnect';

export type ControlEvent =
  | { readonly type: 'started' }
  /** The ConfigMap was there when the process started. */
  | { readonly type: 'bootstrap-read'; readonly bootstrap: Parsed<Bootstrap> }
  /** Answered 200: frames may go both ways. */
  | { readonly type: 'connected'; readonly connection: number }
  /** One line; known frames, or what is wrong with it. */
  | { readonly type: 'frame-received'; readonly connection: number; readonly frame: Parsed<ReceivedServerFrame> }
  | { readonly type: 'connection-lost'; readonly connection: number; readonly cause: LossCause; readonly detail: string }
  | { readonly type: 'timer-fired'; readonly timer: ControlTimer }
  /** Answers `apply-table`; `refusal` is a sentence, or null: it is served from now on. */
  | { readonly type: 'table-settled'; readonly source: TableSource; readonly version: string; readonly refusal: string | null }
  | { readonly type: 'report-made'; readonly chains: readonly ChainReport[] }
  /** SIGTERM. */
  | { readonly type: 'closed' };

/** Where a table came from: whom to answer. null: the bootstrap copy. */
export type TableSource = { readonly connection: number; readonly nonce: string } | null;

/** Carried out in order. Arming a timer replaces the one of the same name. `connect` reads token and CA anew. */
export type ControlEffect =
  | { readonly type: 'connect'; readonly connection: number }
  | { readonly type: 'close-connection'; readonly connection: number }
  | { readonly type: 'send'; readonly connection: number; readonly frame: ClientFrame }
  | { readonly type: 'arm-timer'; readonly timer: ControlTimer; readonly delayMs: number }
  | { readonly type: 'disarm-timer'; readonly timer: ControlTimer }
  /** Compile and swap, or keep what is served; then say `table-settled`. */
  | { readonly type: 'apply-table'; readonly source: TableSource; readonly version: string; readonly table: unknown }
  | { readonly type: 'apply-keys'; readonly keys: readonly KeyEntry[] }
  | { readonly type: 'apply-endpoints'; readonly endpoints: readonly EndpointEntry[] }
  | { readonly type: 'apply-hints'; readonly hints: readonly HintEntry[] }
  | { readonly type: 'log'; readonly level: 'info' | 'warn'; readonly event: string; readonly message: string };

export interface ControlStep {
  readonly state: ControlState;
  readonly effects: readonly ControlEffect[];
}

export interface ControlTools {
  /** Uniform on [0, 1): for jitter. */
  readonly random: () => number;
  readonly sha256Hex: (text: string) => string;
}
