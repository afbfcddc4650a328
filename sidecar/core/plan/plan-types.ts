import type { Egress, EndpointEntry, ExcludedTarget, FallbackMode } from '@belay/contract';
import type { AttemptPlan } from '../attempt/protocol.ts';
import type { HealthView } from '../health/target-health.ts';
import type { CompiledChain, CompiledTarget } from './compiled-table.ts';

/** What an application may set for one request, by header or under `belay` in the body; null: not set. */
export interface RequestSettings {
  readonly targets: readonly string[] | null;
  readonly latencyBudgetMs: number | null;
  readonly fallbackMode: FallbackMode | null;
  readonly egress: Egress | null;
  readonly explain: boolean;
}

/** What admission knows of one target at this moment, beside the table. */
export interface TargetNow {
  readonly health: HealthView;
  readonly keyDelivered: boolean;
  /** Of a `local:NAME` provider; null where the provider has a URL or none is known yet. */
  readonly endpoint: EndpointEntry['state'] | null;
  /** Why the endpoint is `Absent`. */
  readonly endpointDetail?: string;
  /** Attempts under way at this provider from this sidecar. */
  readonly inFlight: number;
}

export interface PlanInput {
  readonly chain: CompiledChain;
  readonly model: string;
  readonly stream: boolean;
  readonly promptTokensEstimate: number;
  readonly maxOutputTokens: number | null;
  readonly notRaceable: string | null;
  readonly reasons: boolean;
  readonly settings: RequestSettings;
  /** x-stainless-timeout in milliseconds. */
  readonly clientTimeoutMs: number | null;
  /** x-stainless-retry-count. */
  readonly clientRetryCount: number;
  /** True: a `wait` was already answered and waited for; it is not answered again. */
  readonly waited?: boolean;
  readonly now: (target: CompiledTarget) => TargetNow;
}

export type PlanResult =
  | {
    readonly type: 'plan';
    readonly plan: AttemptPlan;
    /** Beside `plan.targets`. */
    readonly targets: readonly CompiledTarget[];
    readonly excluded: readonly ExcludedTarget[];
    /** Why the order is not the declared one, e.g. `gemini first: opus p90 9.0 s > budget 2.0 s`; null: it is. */
    readonly note: string | null;
  }
  /** `message` is a clause without the chain's name and the request's id: `describeChainFailed` puts them around it. Answered at once: 429 with Retry-After where all are Rate or Quota, else 503; 400 for settings that name no target. */
  | { readonly type: 'rejected'; readonly status: number; readonly message: string; readonly retryAfterMs: number | null; readonly excluded: readonly ExcludedTarget[] }
  /** Only a Rate that returns within 10 s is left: plan again after this time, once. */
  | { readonly type: 'wait'; readonly afterMs: number; readonly excluded: readonly ExcludedTarget[] };
