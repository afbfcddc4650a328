import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseSidecarEnvironment } from '@belay/contract';
import { applyPatch } from '../../../test/golden/inject/apply-patch.ts';
import { arbitraryPod, meddle } from '../../../test/golden/inject/arbitrary-pod.ts';
import { settings } from '../../../test/golden/inject/read-pods.ts';
import { patchFor, type InjectionOutcome } from './patch-for.ts';
import type { Container, EnvironmentVariable, Pod, PodSpec } from './pod.ts';

describe('a pod is skipped', () => {
  test.each<[string, { readonly [name: string]: string } | undefined, string]>([
    ['without annotations', undefined, 'NotAnnotated'],
    ['without the annotation', { 'belay.dev/inject-env': 'nonsense' }, 'NotAnnotated'],
    ['where the annotation says "false", whatever else is wrong', { 'belay.dev/inject': 'false', 'belay.dev/sidecar-cpu': 'nonsense' }, 'Disabled'],
    ['that mirrors a static one', { 'belay.dev/inject': 'true', 'kubernetes.io/config.mirror': 'hash' }, 'MirrorPod'],
  ])('%s', (_, annotations, reason) => {
    const pod = { metadata: annotations === undefined ? {} : { annotations }, spec: { containers: [{ name: 'belay' }], hostNetwork: true } };
    expect(patchFor(pod, settings)).toEqual({ kind: 'skipped', reason, message: expect.any(String) });
  });
});

describe('a pod is denied', () => {
  test.each<[string, { readonly [name: string]: string }, string]>([
    ['an empty list', { inject: '' }, 'belay.dev/inject: must be "true", "false", or the names of chains with commas between them; "" is no name of a chain'],
    ['a comma too many', { inject: 'a,' }, '"" is no name of a chain'],
    ['a word for true', { inject: 'True' }, '"True" is no name of a chain'],
    ['true among names', { inject: 'a,true' }, '"true" is no name of a chain'],
    ['a word with white space around it', { inject: 'false\n' }, '"false\\n" is no name of a chain'],
    ['a star', { inject: '*' }, '"*" is no name of a chain'],
    ['a chain of another namespace', { inject: 'a,models/b' }, 'belay.dev/inject: chains of another namespace cannot be named yet: write the name of a chain of the pod\'s own namespace in place of "models/b"'],
    ['a name that is too long', { inject: 'a'.repeat(254) }, `"${'a'.repeat(80)}…" is no name of a chain`],
    ['too many names', { inject: Array.from({ length: 65 }, (_, index) => `c${index}`).join(',') }, 'names 65 chains: up to 64 can be listed'],
    ['a word for the environment', { 'inject-env': 'yes' }, 'belay.dev/inject-env: must be "true" or "false", not "yes"'],
    ['an amount of CPU that is none', { 'sidecar-cpu': '-1' }, 'belay.dev/sidecar-cpu: must be a quantity above zero such as 50m or 0.5, not "-1"'],
    ['CPU finer than a thousandth', { 'sidecar-cpu-limit': '0.5m' }, 'belay.dev/sidecar-cpu-limit: must be a quantity above zero'],
    ['no memory', { 'sidecar-memory': '0' }, 'belay.dev/sidecar-memory: must be a quantity above zero such as 96Mi or 1G, not "0"'],
    ['thousandths of a byte', { 'sidecar-memory': '100m' }, 'belay.dev/sidecar-memory: must be a quantity above zero'],
    ['a CPU request above its limit', { 'sidecar-cpu': '2', 'sidecar-cpu-limit': '1500m' }, 'belay.dev/sidecar-cpu: 2 is more than belay.dev/sidecar-cpu-limit allows (1500m): lower the one or raise the other'],
    ['a memory request above its limit', { 'sidecar-memory': '1Gi', 'sidecar-memory-limit': '1G' }, 'belay.dev/sidecar-memory: 1Gi is more than belay.dev/sidecar-memory-limit allows (1G)'],
    ['a memory limit that nothing starts in', { 'sidecar-memory-limit': '63Mi' }, 'belay.dev/sidecar-memory-limit: must be at least 64Mi'],
    ['an image with a space', { 'sidecar-image': 'a b' }, 'belay.dev/sidecar-image: must be an image reference such as registry.example/belay:1.0, not "a b"'],
    ['a log level that there is not', { 'sidecar-log-level': 'debug' }, 'belay.dev/sidecar-log-level: must be one of error, warn, info, not "debug"'],
  ])('for %s', (_, annotations, message) => {
    const outcome = patchFor(podWith({}, annotations), settings);
    expect(outcome).toEqual({ kind: 'denied', message: expect.stringContaining(message) });
    expect((outcome as { readonly message: string }).message).toMatch(/^belay cannot be injected: belay\.dev\//);
  });

  test.each<[string, Partial<PodSpec>, string]>([
    ['the network of its node', { hostNetwork: true }, 'spec.hostNetwork: a pod on its node\'s network shares 127.0.0.1:7411'],
    ['Windows', { os: { name: 'windows' } }, 'spec.os.name: the sidecar runs on Linux only'],
    ['nodes of Windows', { nodeSelector: { 'kubernetes.io/os': 'windows' } }, 'spec.nodeSelector["kubernetes.io/os"]: the sidecar runs on Linux only'],
    ['nodes of Windows by their old label', { nodeSelector: { 'beta.kubernetes.io/os': 'windows' } }, 'spec.nodeSelector["beta.kubernetes.io/os"]: the sidecar runs on Linux only'],
    ['a container called belay', { containers: [{ name: 'a' }, { name: 'belay' }] }, 'spec.containers[1].name: the name "belay" is for the container that injection adds: rename this one'],
    ['an init container called belay', { initContainers: [{ name: 'belay' }] }, 'spec.initContainers[0].name: the name "belay" is for the container'],
    ['a volume of injection\'s name', { volumes: [{ name: 'a' }, { name: 'belay-token' }] }, 'spec.volumes[1].name: the name "belay-token" is for a volume that injection adds: rename this one'],
    ['a container that listens where applications do', { containers: [{ name: 'app', ports: [{ containerPort: 80 }, { containerPort: 7411 }] }] }, 'spec.containers[0].ports[1].containerPort: 7411 is a port of the sidecar'],
    ['an init container that listens where probes do', { initContainers: [{ name: 'mesh', ports: [{ containerPort: 7412 }] }] }, 'spec.initContainers[0].ports[0].containerPort: 7412 is a port of the sidecar, which shares the pod\'s network: let container mesh listen elsewhere'],
  ])('for %s', (_, spec, message) => {
    expect(patchFor(podWith(spec, {}), settings)).toEqual({ kind: 'denied', message: expect.stringContaining(message) });
  });
});

test.each<[string, Partial<PodSpec>]>([
  ['names nodes of Linux', { nodeSelector: { 'kubernetes.io/os': 'linux' } }],
  ['has the sidecar\'s ports in another protocol', { containers: [{ name: 'dns', ports: [{ containerPort: 7411, protocol: 'UDP' }, { containerPort: 7412, protocol: 'SCTP' }] }] }],
  ['has the sidecar\'s ports on the node alone', { containers: [{ name: 'web', ports: [{ containerPort: 80, hostPort: 7411 } as { readonly containerPort: number }] }] }],
])('a pod gets its sidecar where it %s', (_, spec) => {
  expect(patchFor(podWith(spec, {}), settings)).toMatchObject({ kind: 'patched' });
});

test.each<[string, Partial<PodSpec>, 'fixed' | 'platform', number | undefined]>([
  ['the usual one', {}, 'fixed', 65532],
  ['none, where the platform chooses', {}, 'platform', undefined],
  ['none, where the platform has chosen for the pod', { securityContext: { runAsUser: 1_000_650_000 } }, 'platform', undefined],
  ['the usual one in a pod of root, which the sidecar must not be', { securityContext: { runAsUser: 0 } }, 'platform', 65532],
])('the user that a sidecar names is %s', (_, spec, userIds, user) => {
  const outcome = patchFor(podWith(spec, {}), { ...settings, userIds });
  const added = outcome.kind === 'patched' ? outcome.patch.find(({ path }) => path === '/spec/initContainers') : undefined;
  expect(added?.value).toMatchObject([{ securityContext: { runAsNonRoot: true } }]);
  expect((added?.value as readonly { readonly securityContext: { readonly runAsUser?: number; readonly runAsGroup?: number } }[])[0]?.securityContext).toMatchObject(user === undefined ? {} : { runAsUser: user, runAsGroup: user });
  expect(JSON.stringify(added?.value).includes('runAsUser')).toBe(user !== undefined);
});

test('an application\'s container called belay is no sidecar, even in an injected pod', () => {
  const injected = injectedOf(podWith({}, {}));
  const pod = { ...injected, spec: { ...injected.spec, containers: [{ name: 'belay' }] } };
  expect(patchFor(pod, settings)).toMatchObject({ kind: 'denied' });
});

test.each([['true', ['*']], ['true\n', ['*']], ['chat, bulk', ['chat', 'bulk']]])('annotated %j, the sidecar reads from its environment what injection meant', (inject, chains) => {
  const resolved: { readonly [path: string]: string } = { 'metadata.name': 'app-1', 'metadata.namespace': 'support', 'metadata.uid': 'u-1', 'status.podIP': '10.0.0.7' };
  const sidecar = injectedOf(podWith({}, { inject })).spec.initContainers?.[0];
  const environment = Object.fromEntries((sidecar?.env ?? []).map(({ name, value, valueFrom }) =>
    [name, value ?? resolved[(valueFrom as { readonly fieldRef: { readonly fieldPath: string } }).fieldRef.fieldPath]]));
  expect(parseSidecarEnvironment(environment)).toEqual({
    ok: true,
    value: { distributor: { host: 'belay.belay-system.svc', port: 7443 }, chains, podName: 'app-1', podUid: 'u-1', namespace: 'support', certificates: settings.caCertificates },
  });
});

describe('a sidecar reaches providers by the proxy that its pod\'s applications use:', () => {
  const secret = { valueFrom: { secretKeyRef: { name: 'proxy', key: 'password' } } };
  const proxyOf = (containers: readonly Partial<Container>[]): readonly EnvironmentVariable[] => (injectedOf(podWith({ containers: containers.map((one, index) => ({ name: `app${index}`, ...one })) }, {})).spec.initContainers?.[0]?.env ?? [])
    .slice(9);

  test.each<[string, readonly Partial<Container>[], readonly EnvironmentVariable[]]>([
    ['none', [{}], []],
    ['none, where it is empty', [{ env: [{ name: 'HTTPS_PROXY', value: '' }, { name: 'http_proxy' }] }], []],
    ['none, for exceptions alone', [{ env: [{ name: 'NO_PROXY', value: '.svc' }] }], []],
    ['that of the first one that has any', [{}, { env: [{ name: 'MODE', value: 'a' }, { name: 'HTTPS_PROXY', value: 'http://one' }] }, { env: [{ name: 'https_proxy', value: 'http://two' }] }], [{ name: 'HTTPS_PROXY', value: 'http://one' }]],
    ['from a Secret', [{ env: [{ name: 'https_proxy', ...secret }] }], [{ name: 'https_proxy', ...secret }]],
    ['with its exceptions as the application has them now', [{ env: [{ name: 'HTTP_PROXY', value: 'http://one' }, { name: 'NO_PROXY', value: '.corp' }] }],
      [{ name: 'HTTP_PROXY', value: 'http://one' }, { name: 'NO_PROXY', value: '.corp,127.0.0.1,localhost' }, { name: 'no_proxy', value: '.corp,127.0.0.1,localhost' }]],
    ['with what it refers to, before it', [{ env: [{ name: 'PASSWORD', ...secret }, { name: 'OTHER', value: 'no' }, { name: 'LOGIN', value: 'me:$(PASSWORD)' }, { name: 'HTTPS_PROXY', value: 'http://$(LOGIN)@proxy:3128' }] }],
      [{ name: 'PASSWORD', ...secret }, { name: 'LOGIN', value: 'me:$(PASSWORD)' }, { name: 'HTTPS_PROXY', value: 'http://$(LOGIN)@proxy:3128' }]],
    ['in no circle', [{ env: [{ name: 'A', value: '$(B)' }, { name: 'B', value: '$(A)' }, { name: 'HTTPS_PROXY', value: 'http://$(A)$$(C)' }] }],
      [{ name: 'A', value: '$(B)' }, { name: 'B', value: '$(A)' }, { name: 'HTTPS_PROXY', value: 'http://$(A)$$(C)' }]],
    ['none that refers to what a sidecar has itself, or to what envFrom may bring', [{ env: [{ name: 'NODE_OPTIONS', value: 'x' }, { name: 'HTTPS_PROXY', value: 'http://$(NODE_OPTIONS)' }, { name: 'HTTP_PROXY', value: 'http://$(HOST)' }] }, { env: [{ name: 'https_proxy', value: 'http://two' }] }],
      [{ name: 'https_proxy', value: 'http://two' }]],
  ])('%s', (_, containers, expected) => {
    expect(proxyOf(containers)).toEqual(expected);
  });
});

describe('a pod whose names are not the cluster\'s own is told of what its sidecar will not find', () => {
  const told = (spec: Partial<PodSpec>): readonly string[] => patched(patchFor(podWith(spec, {}), settings)).notices;

  test.each<[string, Partial<PodSpec>]>([
    ['the node\'s resolver', { dnsPolicy: 'Default' }],
    ['a resolver of its own', { dnsPolicy: 'None', dnsConfig: {} }],
  ])('%s', (_, spec) => {
    expect(told(spec)).toEqual([expect.stringMatching(/^with dnsPolicy (Default|None) the sidecar finds neither the operator at belay\.belay-system\.svc:7443/)]);
  });

  test.each<[string, Partial<PodSpec>]>([
    ['the usual', {}],
    ['ClusterFirst', { dnsPolicy: 'ClusterFirst' }],
    ['the cluster\'s domain of its own accord', { dnsPolicy: 'None', dnsConfig: { searches: ['svc.cluster.local', 'cluster.local'] } }],
  ])('not where it has %s', (_, spec) => {
    expect(told(spec)).toEqual([]);
  });
});

test('a variable without a value, as an API server hands an empty one on, is set and not replaced: there is nothing to replace', () => {
  const env = [{ name: 'OPENAI_BASE_URL' }, { name: 'http_proxy', value: 'http://proxy' }, { name: 'NO_PROXY' }];
  expect(injectedOf(podWith({ containers: [{ name: 'app', env }] }, {})).spec.containers[0]?.env).toEqual([
    { name: 'OPENAI_BASE_URL', value: 'http://127.0.0.1:7411/v1' }, { name: 'http_proxy', value: 'http://proxy' }, { name: 'NO_PROXY', value: '127.0.0.1,localhost' },
    { name: 'OPENAI_API_KEY', value: 'belay' }, { name: 'no_proxy', value: '127.0.0.1,localhost' },
  ]);
});

describe('a pod as large as an API server takes', () => {
  const many = <T>(make: (index: number) => T): readonly T[] => Array.from({ length: 60_000 }, (_, index) => make(index));
  const proxy = { name: 'HTTP_PROXY', value: 'http://$(V0)' };

  test.each<[string, readonly EnvironmentVariable[]]>([
    ['variables', [proxy, ...many((index) => ({ name: `V${index}`, value: 'x' }))]],
    ['variables of one name', [proxy, ...many(() => ({ name: 'NO_PROXY', value: 'x' }))]],
    ['variables that refer to each other', [proxy, ...many((index) => ({ name: `V${index}`, value: `$(V${index + 1})$(V${index + 1})` }))]],
  ])('is patched before the API server stops waiting: %s', (_, env) => {
    const startedMs = performance.now();
    expect(patchFor(podWith({ containers: [{ name: 'app', env }] }, {}), settings)).toMatchObject({ kind: 'patched' });
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  test('gets few notices, or few reasons', () => {
    const containers = many((index) => ({ name: `c${index}`, envFrom: [{}] }));
    const { notices } = patched(patchFor(podWith({ containers }, {}), settings));
    expect([notices.length, notices.at(-1)]).toEqual([17, 'and there are 119984 more of these']);
    expect(patchFor(podWith({ containers: many(() => ({ name: 'belay' })) }, {}), settings)).toEqual({ kind: 'denied', message: expect.stringMatching(/^belay cannot be injected: .{1000,2000}; and there are 59984 more of these$/) });
  });
});

test('annotations that cost a pod its class do so once, and the same way again', () => {
  const containers = [{ name: 'app', resources: { limits: { cpu: '1', memory: '1Gi' } } }];
  const injected = injectedOf(podWith({ containers }, { 'sidecar-cpu': '1', 'sidecar-cpu-limit': '2' }));
  expect(injected.spec.initContainers?.[0]?.resources).toEqual({ requests: { cpu: '1', memory: '256Mi' }, limits: { cpu: '2', memory: '256Mi' } });
  expect(patched(patchFor(injected, settings)).patch).toEqual([]);
});

test('settings that changed reach a pod that is injected anew', () => {
  const injected = injectedOf(podWith({}, {}));
  const again = injectedOf(injected, { ...settings, image: 'registry.example/belay/sidecar:0.2.0', caCertificates: 'new' });
  expect(again).toEqual(injectedOf(podWith({}, {}), { ...settings, image: 'registry.example/belay/sidecar:0.2.0', caCertificates: 'new' }));
});

describe('what came to a sidecar between two calls', () => {
  const injected = injectedOf(podWith({}, {}));
  const changed = (change: Partial<Container>, pod = injected): Pod => ({ ...pod, spec: { ...pod.spec, initContainers: (pod.spec.initContainers ?? []).map((one) => ({ ...one, ...change })) } });
  const sidecarOf = (pod: Pod): Container | undefined => pod.spec.initContainers?.[0];

  test.each<[string, Partial<Container>]>([
    ['the image, which a registry\'s mirror rewrites', { image: 'mirror.example/belay/sidecar:0.1.0' }],
    ['the pull policy, which the AlwaysPullImages plug-in sets, and refuses pods where it is another one', { imagePullPolicy: 'Always' }],
    ['resources, which an autoscaler raises', { resources: { requests: { cpu: '250m', memory: '128Mi' }, limits: { cpu: '250m', memory: '512Mi' } } }],
  ])('stands: %s', (_, change) => {
    expect(sidecarOf(injectedOf(changed(change)))).toMatchObject(change);
  });

  test('counts for Node\'s heap, too', () => {
    expect(sidecarOf(injectedOf(changed({ resources: { limits: { memory: '512Mi' } } })))?.env).toContainEqual({ name: 'NODE_OPTIONS', value: '--max-old-space-size=256' });
  });

  test('stands no more where injection itself asks for something else now', () => {
    const copied = changed({ image: 'mirror.example/belay/sidecar:0.1.0', imagePullPolicy: 'Always', resources: { requests: { cpu: '1' } } });
    const annotations = { ...copied.metadata.annotations, 'belay.dev/sidecar-cpu': '70m' };
    expect(sidecarOf(injectedOf({ ...copied, metadata: { ...copied.metadata, annotations } }, { ...settings, image: 'registry.example/belay/sidecar:0.2.0' })))
      .toMatchObject({ image: 'registry.example/belay/sidecar:0.2.0', imagePullPolicy: 'IfNotPresent', resources: { requests: { cpu: '70m', memory: '96Mi' } } });
  });

  test.each<[string, Partial<Container>]>([
    ['its restartPolicy', { restartPolicy: undefined as unknown as string }],
    ['its variables', { env: [] }],
  ])('is taken back where the sidecar cannot do without: %s', (_, change) => {
    expect(injectedOf(JSON.parse(JSON.stringify(changed(change))) as Pod)).toEqual(injected);
  });

  test.each(['', 'no JSON', 'null', '[]', '{"image":1,"resources":"none"}'])('is taken back where the status annotation says %j', (status) => {
    const pod = changed({ image: 'other' });
    expect(injectedOf({ ...pod, metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, 'belay.dev/status': status } } })).toEqual(injected);
  });
});

describe('whatever the pod', () => {
  test('its own patch leaves nothing to do, and says the same', () => {
    fc.assert(fc.property(arbitraryPod, (pod) => {
      const outcome = patched(patchFor(pod, settings));
      expect(patchFor(applyPatch(pod, outcome.patch), settings)).toEqual({ ...outcome, patch: [] });
    }), { numRuns: 300 });
  });

  test('the sidecar is first, alone in holding the token, and everything else stays but for variables', () => {
    fc.assert(fc.property(arbitraryPod, (pod) => {
      const { metadata, spec } = injectedOf(pod);
      expect(metadata.labels).toEqual({ ...pod.metadata.labels, 'belay.dev/injected': 'true' });
      expect(spec.initContainers?.[0]).toMatchObject({ name: 'belay', restartPolicy: 'Always' });
      const others = [...(spec.initContainers ?? []).slice(1), ...spec.containers];
      const before = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
      expect(others.map(withoutEnv)).toEqual(before.map(withoutEnv));
      expect(JSON.stringify(others)).not.toContain('belay-token');
      before.forEach((container, index) => expect(settled(others[index])).toEqual(expect.arrayContaining(settled(container))));
    }), { numRuns: 300 });
  });

  test('what another injector does in between is kept, and the sidecar is first again', () => {
    fc.assert(fc.property(arbitraryPod, fc.nat(3), (pod, place) => {
      const met = meddle(injectedOf(pod), place);
      const final = injectedOf(met);
      expect(final.spec.initContainers?.[0]).toMatchObject({ name: 'belay', env: expect.arrayContaining([{ name: 'OTHER', value: 'other' }]), volumeMounts: expect.arrayContaining([{ name: 'other', mountPath: '/other' }]) });
      expect(names(final.spec.initContainers).sort()).toEqual(names(met.spec.initContainers).sort());
      expect(names(final.spec.initContainers).filter((name) => name !== 'belay')).toEqual(names(met.spec.initContainers).filter((name) => name !== 'belay'));
      expect(patched(patchFor(final, settings)).patch).toEqual([]);
    }), { numRuns: 300 });
  });
});

function podWith(spec: Partial<PodSpec>, annotations: { readonly [name: string]: string }): Pod {
  const named = Object.entries({ inject: 'true', ...annotations }).map(([name, value]) => [`belay.dev/${name}`, value] as const);
  return { metadata: { annotations: Object.fromEntries(named) }, spec: { containers: [{ name: 'app' }], ...spec } };
}

function patched(outcome: InjectionOutcome): Extract<InjectionOutcome, { kind: 'patched' }> {
  if (outcome.kind !== 'patched') throw new Error(`not patched: ${outcome.message}`);
  return outcome;
}

function injectedOf(pod: Pod, using = settings): Pod {
  return applyPatch(pod, patched(patchFor(pod, using)).patch);
}

function withoutEnv(container: Container): Omit<Container, 'env'> {
  const { env: _, ...rest } = container;
  return rest;
}

/** The variables that injection may not change. */
function settled(container: Container | undefined): object[] {
  return (container?.env ?? []).filter(({ name, value, valueFrom }) => name.toLowerCase() !== 'no_proxy' && (valueFrom !== undefined || (value ?? '') !== ''));
}

function names(containers: readonly Container[] | undefined): string[] {
  return (containers ?? []).map(({ name }) => name);
}
