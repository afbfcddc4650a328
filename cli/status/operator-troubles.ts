import type { LeaseState, OperatorState } from './cluster-state.ts';
import { describeAge, type Trouble } from './trouble.ts';

type FoundOperator = Extract<OperatorState, { kind: 'found' }>;

/** Laptops' clocks differ from the cluster's: a lease is not called stale before twice its time. */
const staleLease = 2;
const denied = 'the API server denies every new pod that is annotated for injection';
const asItWas = 'what stands here is as it was when it last ran; sidecars serve on with what they have.';

export function operatorTroubles(operator: OperatorState): readonly Trouble[] {
  switch (operator.kind) {
    case 'unknown': return [];
    case 'missing': return [{ subject: 'Operator', reason: 'NotInstalled', message: 'No webhook inject.belay.dev is registered in this cluster, so that no pod gets a sidecar: install Belay with helm, or upgrade its release, which brings it back.' }];
    case 'found': return [...webhookTroubles(operator), ...controllerTroubles(operator)];
  }
}

function webhookTroubles({ namespace, name, webhook, trusted }: FoundOperator): readonly Trouble[] {
  const down: Trouble = { subject: `Deployment ${namespace}/${name}-webhook`, reason: 'WebhookDown', message: `None of its pods is ready: ${denied}; running ones serve on.` };
  const bare: Trouble = { subject: `MutatingWebhookConfiguration ${name}-injector`, reason: 'NoCertificate', message: `It has no caBundle yet: ${denied}.` };
  return [...(webhook?.ready === 0 ? [down] : []), ...(trusted ? [] : [bare])];
}

function controllerTroubles({ namespace, name, controller, lease }: FoundOperator): readonly Trouble[] {
  if (controller?.ready === 0) return [{ subject: `Deployment ${namespace}/${name}`, reason: 'OperatorDown', message: `None of its pods is ready: ${asItWas}` }];
  if (lease === null || !isStale(lease)) return [];
  const last = lease.holder === null ? 'nobody holds it' : `${lease.holder} renewed it ${describeAge(lease.renewedAgoMs)} ago`;
  return [{ subject: `Lease ${namespace}/${name}`, reason: 'OperatorDown', message: `The controller is not at work (${last}): ${asItWas}` }];
}

function isStale({ holder, renewedAgoMs, durationMs }: LeaseState): boolean {
  return holder === null || renewedAgoMs > staleLease * durationMs;
}
