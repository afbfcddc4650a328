import type { ChainEntry } from '@belay/contract';
import type { Condition } from '../compile/conditions.ts';
import type { SidecarCounts } from '../distribute/sidecar-counts.ts';
import type { FallbackChainStatus } from '../resources/fallback-chain.ts';
import { cutText } from './cut-text.ts';
import { stampConditions, type JudgedCondition } from './stamp-conditions.ts';
import type { ServingView } from './view-serving.ts';

export interface ChainStatusInput {
  /** The chain in its namespace's table. */
  readonly entry: ChainEntry;
  /** What the compiler says of it. */
  readonly conditions: readonly Condition[];
  /** Generation that was compiled; null: not known. */
  readonly observedGeneration: number | null;
  /** Of the namespace's table that holds `entry`; null: none yet. */
  readonly tableVersion: string | null;
  /** This table has been handed to the distributor. */
  readonly published: boolean;
  readonly counts: SidecarCounts;
  readonly serving: Pick<ServingView, 'text' | 'targets'>;
  /** The status as it stands; undefined: there is none. */
  readonly before: FallbackChainStatus | undefined;
  /** Now, by the wall clock. */
  readonly wallMs: number;
}

/** `maxLength` of the CRD. */
const limits = { summary: 4_096, serving: 4_096, lastError: 1_024 } as const;
const noTraffic = 'no requests yet';

/** The whole `status` of a FallbackChain. What sidecars have not told again since the operator started stays as it was. */
export function chainStatus({ entry, conditions, observedGeneration, tableVersion, published, counts, serving, before, wallMs }: ChainStatusInput): FallbackChainStatus {
  const judged = inOrder([...conditions, programmed(entry, tableVersion, published, counts)]);
  return {
    ...(observedGeneration === null ? {} : { observedGeneration }),
    conditions: stampConditions(judged, observedGeneration, before?.conditions ?? [], wallMs),
    summary: cutText(entry.targets.map(({ name }) => name).join(' > '), limits.summary),
    serving: cutText(serving.text ?? before?.serving ?? noTraffic, limits.serving),
    ...(tableVersion === null ? {} : { tableVersion }),
    sidecars: { connected: counts.connected, current: counts.current, rejected: counts.rejected, lastError: cutText(counts.lastError, limits.lastError) },
    targets: serving.targets,
  };
}

const order = ['Accepted', 'ResolvedRefs', 'Programmed', 'PartiallyInvalid', 'Ready'];

function inOrder(conditions: readonly JudgedCondition[]): readonly JudgedCondition[] {
  return [...conditions].sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
}

/** Gateway API's meaning: sent, and should be served soon. One stuck sidecar never turns it; one that refused does. */
function programmed({ unroutable }: ChainEntry, tableVersion: string | null, published: boolean, { connected, rejected, lastError }: SidecarCounts): JudgedCondition {
  const judge = (status: 'True' | 'False', reason: string, message: string) => ({ type: 'Programmed', status, reason, message });
  if (!published || tableVersion === null) return judge('False', 'Pending', 'This version has not been published yet.');
  if (rejected > 0) return judge('False', 'Rejected', `${rejected} of ${connected} sidecars refused this version and serve on what they had: ${sentence(lastError)}`);
  if (unroutable !== null) return judge('False', 'NotAccepted', 'The chain is not accepted: sidecars that hold its last good form serve that, without targets whose provider is gone; others answer 503.');
  return judge('True', 'Programmed', 'This version is published to every sidecar that asks for the chain.');
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
