import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { ExcludedTarget } from '@belay/contract';
import type { AttemptEvent, AttemptPlan } from '../core/attempt/protocol.ts';
import type { RequestState } from '../core/attempt/step.ts';
import type { CompiledChain, CompiledTarget } from '../core/plan/compiled-table.ts';
import type { ClientRequest } from '../dialects/dialect.ts';
import type { Attempt } from './attempt.ts';
import type { AttemptLog } from './decision-record.ts';
import type { Plane } from './plane.ts';
import type { RequestTimers } from './request-timers.ts';

/** A request that was admitted: what `runAttempts` needs of it. */
export interface Admitted {
  readonly plane: Plane;
  readonly id: string;
  readonly chain: CompiledChain;
  readonly tableVersion: string;
  readonly plan: AttemptPlan;
  readonly targets: readonly CompiledTarget[];
  readonly excluded: readonly ExcludedTarget[];
  /** What admission has to say about the order; null: nothing. */
  readonly note: string | null;
  readonly request: ClientRequest;
  readonly headers: IncomingHttpHeaders;
  readonly response: ServerResponse;
  readonly explain: boolean;
  /** Clock time, and the same moment as RFC 3339. */
  readonly arrivedMs: number;
  readonly arrivedAt: string;
}

/** One request under way. */
export interface RequestRun extends Admitted {
  state: RequestState;
  readonly admittedMs: number;
  readonly attempts: Attempt[];
  readonly logs: AttemptLog[];
  readonly timers: RequestTimers;
  /** By attempt: gives its slot back. */
  readonly leaveSlot: Map<number, () => void>;
  /** By target: the slot that it waited for, until its attempt starts. */
  readonly slots: Map<number, () => void>;
  readonly stopPolls: (() => void)[];
  readonly events: AttemptEvent[];
  handling: boolean;
  committed: Attempt | null;
  finished: boolean;
  readonly done: () => void;
}
