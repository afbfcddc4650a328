import { sidecarContainerName } from '@belay/contract';
import type { FallbackChain } from '@belay/operator/core/resources/fallback-chain.ts';
import type { ModelProvider } from '@belay/operator/core/resources/model-provider.ts';
import type { InjectedPod } from './cluster-state.ts';
import { sentence, titleOf, type Trouble } from './trouble.ts';

type Status = NonNullable<FallbackChain['status']>;
type Condition = Status['conditions'][number];
type TargetStatus = NonNullable<Status['targets']>[number];
type Found = Omit<Trouble, 'subject'>;

export function chainTroubles(chain: FallbackChain): readonly Trouble[] {
  const { status } = chain;
  const told = toldTroubles(chain.metadata.generation, status);
  const targets = status === undefined || isPending(told) ? [] : (status.targets ?? []).flatMap((target) => targetTroubles(target, status));
  return [...told, ...targets].map((found) => ({ subject: `FallbackChain ${titleOf(chain)}`, ...found }));
}

export function providerTroubles(provider: ModelProvider): readonly Trouble[] {
  return toldTroubles(provider.metadata.generation, provider.status).map((found) => ({ subject: `ModelProvider ${titleOf(provider)}`, ...found }));
}

/** A sidecar that is not ready for a reason that time alone does not mend. */
export function podTroubles({ metadata: { name, namespace = 'default' }, status }: InjectedPod): readonly Trouble[] {
  const down = (status?.initContainerStatuses ?? []).filter((one) => one.name === sidecarContainerName && one.ready !== true);
  return down.flatMap(({ restartCount: restarts = 0, state }) => {
    const reason = state?.waiting?.reason ?? 'PodInitializing';
    if (restarts === 0 && passing.has(reason)) return [];
    return [{ subject: `Pod ${namespace}/${name}`, reason: 'SidecarDown', message: `Its sidecar is not ready (${reason}, ${restarts} restarts): see kubectl logs -n ${namespace} ${name} -c ${sidecarContainerName}.` }];
  });
}

const passing: ReadonlySet<string> = new Set(['PodInitializing', 'ContainerCreating']);

function targetTroubles({ name, health, problem, successRate }: TargetStatus, { serving = '' }: Status): readonly Found[] {
  const rate = successRate === undefined ? '' : ` (${successRate} of attempts succeeded of late)`;
  const why = problem === undefined ? '' : `: ${problem}`;
  const served = `serving: ${serving === '' ? 'nobody' : serving}`;
  switch (health) {
    case 'Unhealthy': return [{ reason: 'TargetUnhealthy', message: sentence(`${name} does not answer${why}; ${served}`) }];
    case 'Degraded': return [{ reason: 'TargetDegraded', message: sentence(`${name} answers in part${rate}${why}; ${served}`) }];
    case 'Absent': return [{ reason: 'TargetAbsent', message: sentence(`${name} does not answer${problem === undefined ? ', a local model without a server: its ModelProvider says why' : why}; ${served}`) }];
    default: return [];
  }
}

/** What the operator has told of a resource: that it has not come to it (or to its last change), or each condition that tells of a fault. */
function toldTroubles(generation: number | undefined, status: ModelProvider['status']): readonly Found[] {
  const { observedGeneration: observed, conditions = [] } = status ?? {};
  if (observed === undefined) return [{ reason: 'Pending', message: 'The operator has not looked at it yet.' }];
  if (observed < (generation ?? observed)) return [{ reason: 'Pending', message: `The operator has not taken its last change yet (generation ${generation}, and it has seen ${observed}).` }];
  const bad = conditions.filter(({ type, status: value }) => (type === 'PartiallyInvalid' ? value === 'True' : value !== 'True'));
  return uniqueTroubles(causesOf(bad));
}

function isPending(troubles: readonly Found[]): boolean {
  return troubles[0]?.reason === 'Pending';
}

/** What follows from another condition is not said twice: Ready from all others, Programmed (but for a refusal) from what the compiler says. */
function causesOf(bad: readonly Condition[]): readonly Condition[] {
  const causes = bad.filter(({ type, reason }) => type !== 'Ready' && (type !== 'Programmed' || reason === 'Rejected'));
  if (causes.length > 0) return causes;
  const programmed = bad.filter(({ type }) => type === 'Programmed');
  return programmed.length > 0 ? programmed : bad;
}

function uniqueTroubles(conditions: readonly Condition[]): readonly Found[] {
  return [...new Map(conditions.map(({ reason, message }) => [message, { reason, message: sentence(message) }])).values()];
}
