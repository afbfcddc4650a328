import { expect, test } from '@jest/globals';
import type { ContainerStatus, ObservedDeployment, ObservedPod } from './observed.ts';
import { readinessOf } from './readiness-of.ts';

const deployment: ObservedDeployment = { metadata: { name: 'belay-local-qwen', namespace: 'shop' }, spec: { replicas: 1 } };

function pod(status: Partial<ContainerStatus>, name = 'qwen-1', more: NonNullable<ObservedPod['status']> = {}): ObservedPod {
  return {
    metadata: { name, namespace: 'shop', creationTimestamp: '2026-11-25T03:00:00Z' },
    spec: {
      containers: [{ name: 'llama', args: ['--model', '/models/qwen/q4.gguf', '--host', '0.0.0.0'], resources: { limits: { memory: '2Gi' } } }],
      volumes: [{ name: 'models', persistentVolumeClaim: { claimName: 'models' } }],
    },
    status: { phase: 'Running', conditions: [{ type: 'PodScheduled', status: 'True' }, { type: 'Ready', status: 'False' }], containerStatuses: [{ name: 'llama', image: 'registry.example/llama:1', ...status }], ...more },
  };
}

function unscheduled(message: string): ObservedPod {
  return { ...pod({}), status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] } };
}

const ready = (name = 'qwen-1'): ObservedPod => pod({ started: true, state: { running: {} } }, name, { conditions: [{ type: 'PodScheduled', status: 'True' }, { type: 'Ready', status: 'True' }] });
const ended = (exitCode: number, seconds = 1, reason = 'Error') => ({ terminated: { exitCode, reason, startedAt: '2026-11-25T03:00:00Z', finishedAt: `2026-11-25T03:00:${String(seconds).padStart(2, '0')}Z` } });
const backOff = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container' } };
const withCondition = (condition: { type: string; status: string; reason: string; message: string }): ObservedDeployment => ({ ...deployment, status: { conditions: [condition] } });

test.each<[string, ObservedDeployment | null, readonly ObservedPod[], string, string]>([
  ['no Deployment', null, [], 'Loading Pending', 'Its Deployment is not made yet.'],
  ['no pod yet', deployment, [], 'Loading Loading', 'Its pod is being made.'],
  ['a pod that starts', deployment, [pod({ state: { waiting: { reason: 'ContainerCreating' } } })], 'Loading Loading', 'Pod qwen-1 is being started: its image and its volume are made ready. Where that lasts, kubectl describe pod -n shop qwen-1 says what is in the way.'],
  ['a server that loads', deployment, [pod({ started: false, state: { running: {} } })], 'Loading Loading', 'Pod qwen-1 loads the model.'],
  ['a server that has loaded and does not answer', deployment, [pod({ started: true, state: { running: {} } })], 'Loading Loading', 'Pod qwen-1 does not answer /health yet.'],
  ['a ready server', deployment, [ready()], 'Ready Ready', 'Its server is ready.'],
  ['a ready server that is being deleted', deployment, [{ ...ready(), metadata: { ...ready().metadata, deletionTimestamp: '2026-11-25T03:00:00Z' } }], 'Loading Loading', 'Its pod is being made.'],
  ['a model file that is not there', deployment, [pod({ state: ended(1) })], 'Absent ModelMissing', 'llama.cpp could not load qwen/q4.gguf from PersistentVolumeClaim "models": put the GGUF file there, readable for everybody (pod qwen-1 ended with exit code 1).'],
  ['the same while the kubelet waits', deployment, [pod({ state: backOff, lastState: ended(1), restartCount: 3 })], 'Absent ModelMissing', 'llama.cpp could not load qwen/q4.gguf'],
  ['the same while it is tried again', deployment, [pod({ started: false, state: { running: {} }, lastState: ended(1), restartCount: 1 })], 'Absent ModelMissing', 'llama.cpp could not load qwen/q4.gguf'],
  ['a server that served for a while and loads again', deployment, [pod({ started: false, state: { running: {} }, lastState: ended(139, 40), restartCount: 1 })], 'Loading Loading', 'Pod qwen-1 loads the model again.'],
  ['a server that is killed for memory', deployment, [pod({ state: backOff, lastState: ended(137, 20, 'OOMKilled') })], 'Absent OOMKilled', 'Pod qwen-1 was killed for want of memory (its memory limit is 2Gi): raise spec.local.resources, or lower contextTokens or parallel.'],
  ['a server killed for memory again and again, while it loads', deployment, [pod({ started: false, state: { running: {} }, lastState: ended(137, 40, 'OOMKilled'), restartCount: 3 })], 'Absent OOMKilled', 'Pod qwen-1 was killed for want of memory'],
  ['a processor that is too old', deployment, [pod({ state: backOff, lastState: ended(132) })], 'Absent CrashLoop', 'The server of pod qwen-1 ended with an instruction that its processor does not have: take an image built for this node.'],
  ['any other end', deployment, [pod({ state: backOff, lastState: ended(139) })], 'Absent CrashLoop', 'The server of pod qwen-1 ended with exit code 139: see kubectl logs -n shop qwen-1 --previous.'],
  ['an image that cannot be pulled', deployment, [pod({ state: { waiting: { reason: 'ErrImagePull', message: 'not found\n' } } })], 'Absent ImagePullBackOff', 'The node cannot pull the image registry.example/llama:1 of pod qwen-1: check its name, and the registry\'s address and pull secret (not found).'],
  ['the same later', deployment, [pod({ state: { waiting: { reason: 'ImagePullBackOff' } } })], 'Absent ImagePullBackOff', 'The node cannot pull the image registry.example/llama:1 of pod qwen-1: check its name, and the registry\'s address and pull secret.'],
  ['a container that the node refuses', deployment, [pod({ state: { waiting: { reason: 'CreateContainerConfigError', message: 'container has runAsNonRoot and image will run as root' } } })], 'Absent ContainerRefused', 'The node cannot start pod qwen-1: CreateContainerConfigError (container has runAsNonRoot and image will run as root).'],
  ['a claim that is not there', deployment, [unscheduled('0/1 nodes are available: persistentvolumeclaim "models" not found. not found')], 'Absent ClaimNotFound', 'There is no PersistentVolumeClaim "models" in its namespace: create it, with the model on it.'],
  ['a claim without a volume', deployment, [unscheduled('0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available.')], 'Absent ClaimUnbound', 'Pod qwen-1 waits for PersistentVolumeClaim "models", which no volume is bound to: see the claim\'s Events with kubectl describe pvc -n shop models (0/1 nodes are available'],
  ['a node that is too small', deployment, [unscheduled('0/1 nodes are available: 1 Insufficient memory.')], 'Absent Unschedulable', 'No node takes pod qwen-1: 0/1 nodes are available: 1 Insufficient memory.'],
  ['a quota that is used up', withCondition({ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'pods "qwen-1" is forbidden: exceeded quota: small' }), [], 'Absent QuotaExceeded', 'Its pod is over the quota of namespace shop: raise the quota, or lower spec.local.resources (pods "qwen-1" is forbidden: exceeded quota: small).'],
  ['a pod that is refused', withCondition({ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'violates PodSecurity' }), [], 'Absent PodRefused', 'The API server refused its pod: violates PodSecurity.'],
  ['a pod that gets nowhere', withCondition({ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: '' }), [pod({ state: { waiting: { reason: 'ContainerCreating' } } })], 'Absent ProgressDeadlineExceeded', 'It has not become ready for 35 minutes: see the Events of its pod with kubectl describe.'],
  ['a cause that is known, after the deadline', withCondition({ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: '' }), [pod({ state: ended(1) })], 'Absent ModelMissing', 'llama.cpp could not load'],
  ['a pod that was evicted', deployment, [pod({}, 'qwen-1', { phase: 'Failed', reason: 'Evicted' })], 'Absent Evicted', 'Pod qwen-1 was ended by its node (Evicted)'],
  ['an evicted pod whose successor loads', deployment, [pod({}, 'qwen-1', { phase: 'Failed', reason: 'Evicted' }), pod({ state: { running: {} } }, 'qwen-2')], 'Loading Loading', 'Pod qwen-2 loads the model.'],
  ['no replicas', { ...deployment, spec: { replicas: 0 } }, [], 'Absent ScaledToZero', 'It is scaled to no server at all: set spec.local.replicas to 1 or more.'],
  ['one of two ready', { ...deployment, spec: { replicas: 2 } }, [ready('qwen-1'), pod({ state: ended(1) }, 'qwen-2')], 'Ready Ready', '1 of 2 servers is ready. llama.cpp could not load'],
])('%s', (_sentence, observed, pods, expected, message) => {
  const readiness = readinessOf(observed, pods);
  expect(`${readiness.state} ${readiness.reason}`).toBe(expected);
  expect(readiness.message.startsWith(message) ? message : readiness.message).toBe(message);
});

test('somebody else\'s words are one line, and not too long', () => {
  const { message } = readinessOf(deployment, [unscheduled(`a\nb ${'x'.repeat(2_000)}`)]);
  expect(message).toMatch(/^No node takes pod qwen-1: a b x+…\.$/);
  expect(message.length).toBeLessThan(400);
});
