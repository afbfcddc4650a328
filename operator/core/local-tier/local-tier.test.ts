import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ModelProvider } from '../resources/model-provider.ts';
import { localTierAddress, localTierName, providerLabelValue } from './local-tier-names.ts';
import { localTierObjects, type LocalTierSettings } from './local-tier.ts';

type Local = NonNullable<ModelProvider['spec']['local']>;

const settings: LocalTierSettings = { image: 'registry.example/llama@sha256:1', imagePullPolicy: 'IfNotPresent', imagePullSecrets: [], clusterDomain: 'cluster.local' };

function provider(name: string, more: Partial<Local> = {}, path = 'qwen/small-q4.gguf'): ModelProvider {
  return {
    apiVersion: 'belay.dev/v1alpha1', kind: 'ModelProvider', metadata: { name, namespace: 'shop', uid: 'u1' },
    spec: { suspend: false, allowedNamespaces: { from: 'Same' }, local: { engine: 'LlamaCpp', model: { persistentVolumeClaim: { claimName: 'models', path } }, contextTokens: 4096, parallel: 2, replicas: 1, ...more } },
  };
}

interface Pod {
  readonly securityContext: object;
  readonly volumes: readonly object[];
  readonly containers: readonly [{ readonly args: readonly string[]; readonly resources: object; readonly securityContext: object; readonly volumeMounts: readonly object[]; readonly startupProbe: object }];
}

function objectsOf(of: ModelProvider, with_: LocalTierSettings = settings) {
  const objects = localTierObjects(of, with_);
  if (!objects.ok) throw new Error(JSON.stringify(objects.problems));
  const [deployment, service] = objects.value;
  const spec = deployment.spec as { readonly template: { readonly metadata: object; readonly spec: Pod } };
  return { deployment, service, spec, template: spec.template, pod: spec.template.spec, container: spec.template.spec.containers[0] };
}

test('the Deployment and the Service belong to the provider and find its pods', () => {
  const { deployment, service, template } = objectsOf(provider('on-cluster', { replicas: 2 }));
  const labels = { 'app.kubernetes.io/managed-by': 'belay', 'belay.dev/provider': 'on-cluster' };
  const metadata = { name: 'belay-local-on-cluster', namespace: 'shop', labels, ownerReferences: [{ kind: 'ModelProvider', name: 'on-cluster', uid: 'u1', controller: true }] };
  expect(deployment).toMatchObject({ kind: 'Deployment', metadata, spec: { replicas: 2, selector: { matchLabels: labels }, strategy: { type: 'Recreate' }, progressDeadlineSeconds: 2100 } });
  expect(template.metadata).toEqual({ labels, annotations: { 'belay.dev/inject': 'false' } });
  expect(service).toMatchObject({ kind: 'Service', metadata, spec: { selector: labels, ports: [{ port: 8080, targetPort: 8080 }] } });
});

test('the server gets the window of all its slots, and answers others than itself', () => {
  expect(objectsOf(provider('on-cluster')).container.args).toEqual([
    '--model', '/models/qwen/small-q4.gguf', '--alias', 'small-q4', '--host', '0.0.0.0', '--port', '8080',
    '--ctx-size', '8192', '--parallel', '2', '--threads', '1', '--metrics', '--jinja', '--no-webui',
  ]);
});

test.each<[string, Local['resources'], string]>([
  ['a limit of 2500m', { limits: { cpu: '2500m' } }, '2'],
  ['a limit below one core', { limits: { cpu: '300m' } }, '1'],
  ['a limit above its request', { requests: { cpu: '1' }, limits: { cpu: '16' } }, '16'],
  ['a request alone', { requests: { cpu: '4' } }, '4'],
  ['a limit of memory alone', { limits: { memory: '2Gi' } }, '1'],
  ['nothing that is written', undefined, '1'],
])('with %s llama.cpp starts no more threads than it can count on cores for', (_sentence, resources, threads) => {
  const { args } = objectsOf(provider('on-cluster', resources === undefined ? {} : { resources })).container;
  expect(args[args.indexOf('--threads') + 1]).toBe(threads);
});

test('what the kubelet would take for a variable in the name of a file stays as it is', () => {
  expect(objectsOf(provider('on-cluster', {}, 'a$(HOME)$.gguf')).container.args[1]).toBe('/models/a$$(HOME)$$.gguf');
});

test('the pod keeps the restricted Pod Security standard and cannot write to the volume', () => {
  const { pod, container } = objectsOf(provider('on-cluster'));
  expect(pod).toMatchObject({ automountServiceAccountToken: false, securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } } });
  expect(container.securityContext).toMatchObject({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
  expect(container.volumeMounts).toEqual([{ name: 'models', mountPath: '/models', readOnly: true }]);
  expect(pod.volumes).toEqual([{ name: 'models', persistentVolumeClaim: { claimName: 'models', readOnly: true } }]);
});

test('a model may load for 30 minutes', () => {
  expect(objectsOf(provider('on-cluster')).container.startupProbe).toMatchObject({ httpGet: { path: '/health', port: 8080 }, periodSeconds: 1, failureThreshold: 1800 });
});

test.each<[string, Local['resources'], object]>([
  ['without any', undefined, { requests: { cpu: '500m', memory: '1Gi' } }],
  ['with a request for one', { requests: { memory: '2Gi' } }, { requests: { cpu: '500m', memory: '2Gi' } }],
  ['with a limit below the default request', { limits: { memory: '512Mi' } }, { requests: { cpu: '500m' }, limits: { memory: '512Mi' } }],
  ['with a GPU', { limits: { 'nvidia.com/gpu': '1' } }, { requests: { cpu: '500m', memory: '1Gi' }, limits: { 'nvidia.com/gpu': '1' } }],
])('%s its resources are as written, and never a request above a limit', (_sentence, resources, expected) => {
  expect(objectsOf(provider('on-cluster', resources === undefined ? {} : { resources })).container.resources).toEqual(expected);
});

test('pull secrets of the installation are the pod\'s', () => {
  expect(objectsOf(provider('on-cluster'), { ...settings, imagePullSecrets: ['registry'] }).pod).toMatchObject({ imagePullSecrets: [{ name: 'registry' }] });
  expect(objectsOf(provider('on-cluster')).pod).not.toHaveProperty('imagePullSecrets');
});

test.each(['../secret.gguf', '/etc/passwd', 'a/../../b.gguf', 'a//b.gguf', './a.gguf', '..', ''])('the path %j, which would leave the volume, is refused', (path) => {
  expect(localTierObjects(provider('on-cluster', {}, path), settings)).toMatchObject({ ok: false, problems: [{ path: 'spec.local.model.persistentVolumeClaim.path', message: expect.stringContaining('must be a path within the volume') }] });
});

describe('names', () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
  const providerName = fc.array(label, { minLength: 1, maxLength: 8 }).map((labels) => labels.join('.')).filter((name) => name.length <= 253);

  test('a provider of any name has a Service name that is a DNS label, and a label value', () => {
    fc.assert(fc.property(providerName, (name) => {
      expect(localTierName(name)).toMatch(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/);
      expect(providerLabelValue(name)).toMatch(/^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/);
    }));
  });

  test('two providers never share one', () => {
    fc.assert(fc.property(providerName, providerName, (one, other) => {
      fc.pre(one !== other);
      expect([localTierName(one), providerLabelValue(one)]).not.toEqual([localTierName(other), providerLabelValue(other)]);
      expect(localTierName(one)).not.toBe(localTierName(other));
    }));
    expect(localTierName('a.b')).not.toBe(localTierName('a-b'));
    expect(localTierName(`${'x'.repeat(80)}1`)).not.toBe(localTierName(`${'x'.repeat(80)}2`));
  });

  test('the address is the Service\'s', () => {
    expect(localTierAddress('shop', 'on-cluster', 'cluster.local')).toBe('http://belay-local-on-cluster.shop.svc.cluster.local:8080/v1');
  });
});
