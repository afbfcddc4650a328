import { describe, expect, test } from '@jest/globals';
import type { InjectionSettings } from '../inject/sidecar-container.ts';
import { observePod, type ExistingPod } from './observe-pod.ts';
import { deploymentFindings, podFindings } from './pod-findings.ts';

const settings: InjectionSettings = { image: 'belay:1', imagePullPolicy: 'IfNotPresent', imagePullSecrets: [], distributor: 'belay.belay-system.svc:7443', userIds: 'fixed', caCertificates: '' };
const app = { name: 'app' };
const sidecar = { name: 'belay', restartPolicy: 'Always' };
const injected = { 'belay.dev/status': '{}' };
const pod = (inject: string | null, { annotations = {}, spec = {}, phase = 'Running' }: { readonly annotations?: object; readonly spec?: object; readonly phase?: string } = {}): ExistingPod =>
  ({ metadata: { annotations: { ...(inject === null ? {} : { 'belay.dev/inject': inject }), ...annotations } as Record<string, string> }, spec: { containers: [app], ...spec }, status: { phase } });
const labelledPod = (inject: string): ExistingPod => ({ ...pod(null), metadata: { labels: { 'belay.dev/inject': inject } } });
const told = (one: ExistingPod, chains: readonly string[] = ['chat']): readonly string[] => {
  const observed = observePod(one, settings);
  return observed === null ? [] : podFindings(observed, 'shop', chains).map(({ reason, message }) => `${reason}: ${message}`);
};

describe('of a pod there is nothing to say where it', () => {
  test.each([
    ['does not ask', pod(null)],
    ['asks for none', pod('false')],
    ['has its sidecar', pod('true', { annotations: injected, spec: { initContainers: [sidecar] } })],
    ['names a chain that is there', pod('chat', { annotations: injected, spec: { initContainers: [sidecar] } })],
    ['has ended', pod('true', { phase: 'Succeeded' })],
    ['has failed', pod('gone', { phase: 'Failed' })],
  ])('%s', (_, one) => {
    expect(told(one)).toEqual([]);
  });
});

describe('a pod that', () => {
  test.each<readonly [string, ExistingPod, readonly string[]]>([
    ['has no sidecar is told what to do', pod('true'), ['InjectionMissing: The pod asks for a sidecar and has none: it was created without the webhook seeing it: before Belay was installed, or in a namespace that injection leaves out, such as kube-system or Belay\'s own. Delete it, and its successor gets one, if its namespace is not left out.']],
    ['is on its node\'s network is told why it can have none', pod('true', { spec: { hostNetwork: true } }), [expect.stringMatching(/^InjectionMissing: .*spec\.hostNetwork.*It was created without the webhook seeing it\.$/) as unknown as string]],
    ['has an annotation nobody can read is told which', pod('Not A Name'), [expect.stringMatching(/^InjectionMissing: .*"Not A Name" is no name of a chain/) as unknown as string]],
    ['lost its sidecar\'s restartPolicy is told who took it', pod('true', { annotations: injected, spec: { initContainers: [{ name: 'belay' }] } }), [expect.stringMatching(/^InjectionMissing: .*another admission webhook took its restartPolicy away\./) as unknown as string]],
    ['has the annotation among its labels is told where it belongs', labelledPod('enabled'), ['InjectionMissing: The pod has no sidecar: belay.dev/inject stands among its labels, where nobody reads it. Move it to the annotations of the pod template.']],
    ['is static is told why it was skipped', pod('true', { annotations: { 'kubernetes.io/config.mirror': 'x' } }), ['InjectionSkipped: The pod has no sidecar: a static pod is started by its node before any webhook sees it: run it as a Deployment or DaemonSet to inject it.']],
    ['names a chain that does not exist is told which there are', pod('chat, nope', { annotations: injected, spec: { initContainers: [sidecar] } }), ['ChainNotFound: Annotation belay.dev/inject names chain nope, and namespace shop has no FallbackChain of that name: it has chat. Create it, and the running sidecar takes it up.']],
    ['takes variables from envFrom is told what was left out', pod('true', { annotations: injected, spec: { containers: [{ name: 'app', envFrom: [{}] }], initContainers: [sidecar] } }), [expect.stringMatching(/^InjectionIncomplete: Container app takes variables from envFrom, so OPENAI_BASE_URL was not set/) as unknown as string, expect.stringMatching(/^InjectionIncomplete: Container app may take a proxy/) as unknown as string]],
  ])('%s', (_, one, messages) => {
    expect(told(one)).toEqual(messages);
  });
});

test('a namespace without chains is said to have none', () => {
  expect(told(pod('nope', { annotations: injected, spec: { initContainers: [sidecar] } }), [])[0]).toContain('it has none at all.');
});

test.each<readonly [string, string | undefined, string | undefined, readonly string[]]>([
  ['on its own metadata alone', 'true', undefined, ['AnnotationMisplaced']],
  ['on both', 'true', 'true', []],
  ['on the template alone', undefined, 'true', []],
  ['on its own metadata, turned off', 'false', undefined, []],
  ['nowhere', undefined, undefined, []],
])('a Deployment with the annotation %s', (_, own, template, reasons) => {
  const annotations = (value: string | undefined) => (value === undefined ? {} : { annotations: { 'belay.dev/inject': value } });
  expect(deploymentFindings({ metadata: annotations(own), spec: { template: { metadata: annotations(template) } } }).map(({ reason }) => reason)).toEqual(reasons);
});

test.each<readonly [string, string | undefined, string, readonly string[]]>([
  ['exceeds a quota', 'true', 'pods "a" is forbidden: exceeded quota: team, requested: requests.cpu=150m, used: requests.cpu=1, limited: requests.cpu=1', ['InjectionRefused']],
  ['lacks a limit that a quota asks for', 'chat', 'pods "a" is forbidden: failed quota: team: must specify limits.cpu for: belay', ['InjectionRefused']],
  ['is below a LimitRange', 'true', 'pods "a" is forbidden: minimum cpu usage per Container is 100m, but request is 50m', ['InjectionRefused']],
  ['has less of its own than its containers ask for', 'true', 'Pod "a" is invalid: spec.resources.requests[memory]: Invalid value: "64Mi": must be greater than or equal to aggregate container requests of 96Mi', ['InjectionRefused']],
  ['is refused by another webhook', 'true', 'admission webhook "policy.example" denied the request: no', []],
  ['exceeds a quota without a sidecar', undefined, 'pods "a" is forbidden: exceeded quota: team', []],
])('a Deployment whose pod %s', (_, template, message, reasons) => {
  const findings = deploymentFindings({ metadata: {}, spec: { template: { metadata: template === undefined ? {} : { annotations: { 'belay.dev/inject': template } } } }, status: { conditions: [{ type: 'ReplicaFailure', status: 'True', message }] } });
  expect(findings.map(({ reason }) => reason)).toEqual(reasons);
  for (const finding of findings) expect(finding.message).toContain(`${message}. Annotations belay.dev/sidecar-cpu, `);
});
