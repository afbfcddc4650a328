import { describe, expect, test } from '@jest/globals';
import type { FallbackChain } from '@belay/operator/core/resources/fallback-chain.ts';
import type { ModelProvider } from '@belay/operator/core/resources/model-provider.ts';
import type { ClusterState, OperatorState } from './cluster-state.ts';
import { findTroubles } from './find-troubles.ts';
import { printStatus } from './print-status.ts';
import { coloursFor } from '../run/colours.ts';

type Status = NonNullable<FallbackChain['status']>;
type Condition = Status['conditions'][number];

const condition = (type: string, status: Condition['status'], reason = 'Fine', message = 'All is well.'): Condition => ({ type, status, reason, message, lastTransitionTime: '2026-11-25T03:00:00Z' });
const fine = [condition('Accepted', 'True'), condition('ResolvedRefs', 'True'), condition('Programmed', 'True'), condition('Ready', 'True')];

function chain(status: Partial<Status> = {}, generation = 1): FallbackChain {
  return {
    apiVersion: 'belay.dev/v1alpha1', kind: 'FallbackChain', metadata: { name: 'chat', namespace: 'shop', generation },
    spec: { targets: [{ providerRef: { name: 'opus' }, model: 'm' }] } as unknown as FallbackChain['spec'],
    status: {
      observedGeneration: 1, conditions: fine, summary: 'opus > gemini', serving: 'opus', sidecars: { connected: 12, current: 12, rejected: 0, lastError: '' },
      targets: [{ name: 'opus', tier: 'Primary', health: 'Healthy', successRate: '100%', firstContentP50Ms: 640 }, { name: 'gemini', tier: 'InterProvider', health: 'Unknown' }], ...status,
    },
  };
}

function provider(conditions: readonly Condition[]): ModelProvider {
  return { apiVersion: 'belay.dev/v1alpha1', kind: 'ModelProvider', metadata: { name: 'opus', namespace: 'shop', generation: 1 }, spec: { suspend: false, allowedNamespaces: { from: 'Same' } }, status: { observedGeneration: 1, conditions } };
}

const healthy: Extract<OperatorState, { kind: 'found' }> = { kind: 'found', namespace: 'belay-system', name: 'belay', controller: { ready: 1, wanted: 1 }, webhook: { ready: 2, wanted: 2 }, trusted: true, lease: { holder: 'belay-1', renewedAgoMs: 2_000, durationMs: 15_000 } };
const state = (more: Partial<ClusterState> = {}): ClusterState => ({ chains: [chain()], providers: [provider([condition('Ready', 'True')])], pods: [], operator: healthy, ...more });
const found = (more: Partial<ClusterState>): string[] => findTroubles(state(more)).map(({ subject, reason, message }) => `${subject}: ${message} (${reason})`);

const asItWas = 'what stands here is as it was when it last ran; sidecars serve on with what they have.';
const sidecar = (status: object): ClusterState['pods'] => [{ metadata: { name: 'web-1', namespace: 'shop' }, status: { initContainerStatuses: [{ name: 'belay', ready: false, ...status }] } }];

test.each<[string, Partial<ClusterState>, string[]]>([
  ['nothing wrong', {}, []],
  ['a provider without its Secret', { providers: [provider([condition('Accepted', 'True'), condition('ResolvedRefs', 'False', 'SecretNotFound', 'There is no Secret "opus".'), condition('Ready', 'False', 'SecretNotFound', 'There is no Secret "opus".')])] },
    ['ModelProvider shop/opus: There is no Secret "opus". (SecretNotFound)']],
  ['a local model that loads', { providers: [provider([condition('Accepted', 'True'), condition('Ready', 'False', 'Loading', 'Pod qwen-1 loads the model.')])] }, ['ModelProvider shop/opus: Pod qwen-1 loads the model. (Loading)']],
  ['a chain that is not accepted', { chains: [chain({ conditions: [condition('Accepted', 'False', 'NameTaken', 'Another chain has the name'), condition('Programmed', 'False', 'NotAccepted', 'The chain is not accepted.'), condition('Ready', 'False', 'NameTaken', 'Not accepted.')] })] },
    ['FallbackChain shop/chat: Another chain has the name. (NameTaken)']],
  ['a chain with a bad target that serves the rest', { chains: [chain({ conditions: [...fine, condition('PartiallyInvalid', 'True', 'ProviderNotFound', 'spec.targets[1]: there is none.')] })] },
    ['FallbackChain shop/chat: spec.targets[1]: there is none. (ProviderNotFound)']],
  ['sidecars that refused, beside a bad target', { chains: [chain({ conditions: [...fine.filter(({ type }) => type !== 'Programmed'), condition('PartiallyInvalid', 'True', 'ProviderNotFound', 'One is bad.'), condition('Programmed', 'False', 'Rejected', '2 of 12 sidecars refused this version.')] })] },
    ['FallbackChain shop/chat: One is bad. (ProviderNotFound)', 'FallbackChain shop/chat: 2 of 12 sidecars refused this version. (Rejected)']],
  ['a chain that is not published', { chains: [chain({ conditions: [condition('Programmed', 'False', 'Pending', 'Not published yet.'), condition('Ready', 'False', 'Pending', 'Later.')] })] }, ['FallbackChain shop/chat: Not published yet. (Pending)']],
  ['a chain that nobody has looked at', { chains: [{ ...chain(), status: { conditions: [condition('Ready', 'Unknown', 'Pending', 'Waiting for the operator.')] } }] }, ['FallbackChain shop/chat: The operator has not looked at it yet. (Pending)']],
  ['a change that nobody has taken', { chains: [chain({ targets: [{ name: 'opus', tier: 'Primary', health: 'Unhealthy' }] }, 3)] }, ['FallbackChain shop/chat: The operator has not taken its last change yet (generation 3, and it has seen 1). (Pending)']],
  ['a target that is down', { chains: [chain({ serving: 'gemini 94% since 02:51 (opus: Overload)', targets: [{ name: 'opus', tier: 'Primary', health: 'Unhealthy', problem: 'Overload (it says that it is overloaded)', successRate: '0%' }] })] },
    ['FallbackChain shop/chat: opus does not answer: Overload (it says that it is overloaded); serving: gemini 94% since 02:51 (opus: Overload). (TargetUnhealthy)']],
  ['a target without a server', { chains: [chain({ targets: [{ name: 'local', tier: 'Local', health: 'Absent' }] })] }, ['FallbackChain shop/chat: local does not answer, a local model without a server: its ModelProvider says why; serving: opus. (TargetAbsent)']],
  ['no webhook pod', { operator: { ...healthy, webhook: { ready: 0, wanted: 2 } } }, ['Deployment belay-system/belay-webhook: None of its pods is ready: the API server denies every new pod that is annotated for injection; running ones serve on. (WebhookDown)']],
  ['no certificate yet', { operator: { ...healthy, trusted: false } }, ['MutatingWebhookConfiguration belay-injector: It has no caBundle yet: the API server denies every new pod that is annotated for injection. (NoCertificate)']],
  ['no controller pod', { operator: { ...healthy, controller: { ready: 0, wanted: 1 }, lease: { holder: 'belay-1', renewedAgoMs: 90_000, durationMs: 15_000 } } }, [`Deployment belay-system/belay: None of its pods is ready: ${asItWas} (OperatorDown)`]],
  ['a lease that is not renewed', { operator: { ...healthy, lease: { holder: 'belay-1', renewedAgoMs: 180_000, durationMs: 15_000 } } }, [`Lease belay-system/belay: The controller is not at work (belay-1 renewed it 3 min ago): ${asItWas} (OperatorDown)`]],
  ['a lease that nobody holds', { operator: { ...healthy, lease: { holder: null, renewedAgoMs: 0, durationMs: 15_000 } } }, [`Lease belay-system/belay: The controller is not at work (nobody holds it): ${asItWas} (OperatorDown)`]],
  ['no Belay', { operator: { kind: 'missing' } }, ['Operator: No webhook inject.belay.dev is registered in this cluster, so that no pod gets a sidecar: install Belay with helm, or upgrade its release, which brings it back. (NotInstalled)']],
  ['an operator that may not be looked at', { operator: { kind: 'unknown', detail: 'you may not' } }, []],
  ['a sidecar that crashes', { pods: sidecar({ restartCount: 4, state: { waiting: { reason: 'CrashLoopBackOff' } } }) }, ['Pod shop/web-1: Its sidecar is not ready (CrashLoopBackOff, 4 restarts): see kubectl logs -n shop web-1 -c belay. (SidecarDown)']],
  ['a sidecar whose image is not there', { pods: sidecar({ state: { waiting: { reason: 'ImagePullBackOff' } } }) }, ['Pod shop/web-1: Its sidecar is not ready (ImagePullBackOff, 0 restarts): see kubectl logs -n shop web-1 -c belay. (SidecarDown)']],
  ['a sidecar that starts', { pods: sidecar({ state: { waiting: { reason: 'PodInitializing' } } }) }, []],
])('%s', (_sentence, more, expected) => {
  expect(found(more)).toEqual(expected);
});

describe('one screen', () => {
  const plain = coloursFor({}, { NO_COLOR: '1' });
  const print = (more: Partial<ClusterState>): string => printStatus(state(more), findTroubles(state(more)), 'namespace shop', plain);

  test('says of each chain who serves, how far it is, and how its targets are', () => {
    expect(print({})).toBe([
      'CHAIN      SERVING  READY  SIDECARS',
      'shop/chat  opus     yes    12/12',
      '           opus Healthy 100% 640 ms > gemini Unknown',
      '',
      'No problems.',
      '',
      'Operator belay in belay-system: controller 1 of 1 ready, webhook 2 of 2 ready, lease held by belay-1, renewed 2 s ago.',
      '',
    ].join('\n'));
  });

  test('says what is wrong in sentences', () => {
    const chains = [chain({ conditions: [condition('Ready', 'False', 'NoUsableTarget', 'Nobody can serve it.')], sidecars: { connected: 12, current: 10, rejected: 2, lastError: 'no' }, serving: 'nobody' })];
    expect(print({ chains, operator: { kind: 'missing' } })).toBe([
      'CHAIN      SERVING  READY               SIDECARS',
      'shop/chat  nobody   no, NoUsableTarget  10/12, 2 refused',
      '           opus Healthy 100% 640 ms > gemini Unknown',
      '',
      '2 problems',
      '  Operator                 No webhook inject.belay.dev is registered in this cluster, so that no pod gets a sidecar: install Belay with helm, or upgrade its release, which brings it back. (NotInstalled)',
      '  FallbackChain shop/chat  Nobody can serve it. (NoUsableTarget)',
      '',
      'Operator: not installed.',
      '',
    ].join('\n'));
  });

  test('of a namespace without chains it says so', () => {
    expect(print({ chains: [], providers: [] })).toContain('There is no FallbackChain in namespace shop.\n\nNothing to tell of.');
  });

  test('a word from elsewhere does not reach the terminal as a command', () => {
    expect(print({ chains: [chain({ serving: 'opus\u001b[2J' })] })).not.toContain('\u001b');
  });
});
