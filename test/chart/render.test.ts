import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { adminPort, injectedLabel, podAnnotations, sidecarContainerName, streamPort } from '@belay/contract';
import { chart, everything, find, isHook, renderChart, renderText, repository, tryRender, type Deployment, type PodSpec, type Rendered } from './render-chart.ts';
import { runTool } from './run-tool.ts';

describe('rendered twice, byte for byte the same', () => {
  test.each<[string, readonly string[]]>([
    ['by default', []],
    ['with everything on', ['--values', everything]],
    ['as an upgrade', ['--is-upgrade']],
  ])('%s', async (_, args) => {
    const digest = async () => createHash('sha256').update(await renderText({ args })).digest('hex');
    expect(await digest()).toBe(await digest());
  });
});

test('an upgrade renders what an installation does', async () => {
  expect(await renderText({ args: ['--is-upgrade'] })).toBe(await renderText());
});

test('helm lint finds nothing, with everything on too', async () => {
  for (const args of [[], ['--values', everything]]) {
    const { code, stdout, stderr } = await runTool('helm', ['lint', chart, '--strict', ...args]);
    expect([code, stdout + stderr]).toEqual([0, expect.stringContaining('1 chart(s) linted, 0 chart(s) failed')]);
    expect(stdout + stderr).not.toMatch(/WARNING|ERROR/);
  }
});

describe('the CRDs', () => {
  const files = readdirSync(join(repository, 'crds'));

  test.each(files)('%s is that of crds/ but for labels, and stays when the release goes', async (file) => {
    const { metadata, ...rest } = parse(readFileSync(join(repository, 'crds', file), 'utf8')) as Rendered;
    const { metadata: rendered, ...others } = find(await renderChart(), 'CustomResourceDefinition', metadata.name);
    expect(others).toEqual(rest);
    expect(rendered).toEqual({ name: metadata.name, labels: expect.any(Object), annotations: { 'helm.sh/resource-policy': 'keep' } });
  });

  test('all of them are in the chart, or none', async () => {
    const names = async (args: readonly string[]) => (await renderChart({ args })).filter(({ kind }) => kind === 'CustomResourceDefinition').length;
    expect([await names([]), await names(['--set', 'crds.enabled=false'])]).toEqual([files.length, 0]);
  });

  test('go with the release where crds.keep is false', async () => {
    const { metadata } = find(await renderChart({ args: ['--set', 'crds.keep=false'] }), 'CustomResourceDefinition', 'fallbackchains.belay.dev');
    expect(metadata.annotations).toBeUndefined();
  });
});

describe('the cluster must be 1.29 or newer, whatever follows its version', () => {
  test.each(['1.29.0', '1.33.4-gke.1036000', '1.31.2-eks-7f9249a', '1.30.4+k3s1', '1.36.0-rc.1'])('%s is', async (version) => {
    expect(await tryRender({ args: ['--kube-version', version] })).toHaveProperty('text');
  });

  test('1.28.9 is not, and helm says so', async () => {
    expect(await tryRender({ args: ['--kube-version', '1.28.9'] })).toEqual({ refused: expect.stringContaining('chart requires kubeVersion: >=1.29.0-0 which is incompatible with Kubernetes v1.28.9') });
  });

  test('injection.required needs 1.30', async () => {
    expect(await tryRender({ args: ['--kube-version', '1.29.9', '--set', 'injection.required=true'] })).toEqual({ refused: expect.stringContaining('injection.required needs Kubernetes 1.30 or newer') });
  });
});

describe('the two Deployments', () => {
  test('have what the operator and the sidecars look for', async () => {
    const objects = await renderChart();
    const webhook = find<Deployment>(objects, 'Deployment', 'belay-webhook').spec;
    const controller = find<Deployment>(objects, 'Deployment', 'belay').spec;
    expect(webhook).toMatchObject({ replicas: 2, strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } });
    expect(controller.replicas).toBe(1);
    expect(argsOf(webhook)).toEqual([
      '/app/operator.mjs', '--role=webhook', '--name=belay', '--cluster-domain=cluster.local', '--user-ids=fixed', '--webhook-port=9443',
      '--sidecar-image=ghcr.io/belay-dev/belay:0.1.0', '--sidecar-image-pull-policy=IfNotPresent', '--log-level=info',
    ]);
    expect(argsOf(controller)).toEqual([
      '/app/operator.mjs', '--role=controller,distributor', '--name=belay', '--cluster-domain=cluster.local', '--user-ids=fixed',
      '--local-tier-image=ghcr.io/ggml-org/llama.cpp:server@sha256:295dc9897fa8a643e4a513fbcaada51d3b8db4b0afa4fda7aeae2386757de58b',
      '--local-tier-image-pull-policy=IfNotPresent', '--log-level=info',
    ]);
    expect(find(objects, 'Service', 'belay')).toMatchObject({ spec: { ports: [{ port: streamPort, targetPort: 'stream' }], selector: controller.selector.matchLabels } });
    expect(find(objects, 'Service', 'belay-webhook')).toMatchObject({ spec: { ports: [{ port: 443, targetPort: webhook.template.spec.containers[0]?.ports[0]?.name }], selector: webhook.selector.matchLabels } });
  });

  test('may change the port of the webhook while old pods still serve on theirs: the Service stays', async () => {
    const serviceOf = async (port: number) => find(await renderChart({ values: { webhook: { port } } }), 'Service', 'belay-webhook');
    expect(await serviceOf(10250)).toEqual(await serviceOf(9443));
  });

  test.each([['belay', 'stream', streamPort], ['belay-webhook', 'webhook', 9443]])('%s says who its pods are, and is probed', async (name, port, number) => {
    const { template } = find<Deployment>(await renderChart(), 'Deployment', name).spec;
    expect(template.metadata.annotations).toEqual({ [podAnnotations.inject]: 'false' });
    expect(template.spec.containers).toEqual([expect.objectContaining({
      env: ['BELAY_NAMESPACE', 'BELAY_POD_NAME', 'BELAY_POD_IP'].map((variable) => expect.objectContaining({ name: variable })),
      ports: [{ name: port, containerPort: number, protocol: 'TCP' }, { name: 'probes', containerPort: 8081, protocol: 'TCP' }],
      startupProbe: expect.objectContaining({ httpGet: { path: '/live', port: 'probes' } }),
      readinessProbe: expect.objectContaining({ httpGet: { path: '/ready', port: 'probes' } }),
      livenessProbe: expect.objectContaining({ httpGet: { path: '/live', port: 'probes' } }),
    })]);
  });

  test('never select each other\'s pods, nor those of the jobs', async () => {
    const objects = await renderChart({ args: ['--values', everything] });
    const selectors = ['belay', 'belay-webhook'].map((name) => find<Deployment>(objects, 'Deployment', name).spec.selector.matchLabels);
    const pods = objects.flatMap(podLabelsOf);
    const selected = selectors.map((selector) => pods.filter(({ labels }) => Object.entries(selector).every(([key, value]) => labels[key] === value)).map(({ owner }) => owner));
    expect(selected).toEqual([['Deployment belay'], ['Deployment belay-webhook']]);
    expect(pods.map(({ owner }) => owner)).toEqual(expect.arrayContaining(['Job belay-cleanup', 'Pod belay-test']));
  });

  test('carry what their values say', async () => {
    const objects = await renderChart({ args: ['--values', everything] });
    const { template } = find<Deployment>(objects, 'Deployment', 'belay-webhook').spec;
    expect(template.metadata).toMatchObject({ labels: { team: 'platform', 'cost-centre': '4711' }, annotations: { note: 'yes', owner: 'platform@example.com', [podAnnotations.inject]: 'false' } });
    expect(template.spec).toMatchObject({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet', priorityClassName: 'system-cluster-critical', imagePullSecrets: [{ name: 'registry' }], affinity: { nodeAffinity: expect.anything() } });
    expect(template.spec.affinity).not.toHaveProperty('podAntiAffinity');
    expect(template.spec.containers[0]?.args).toEqual(expect.arrayContaining([
      '--webhook-port=10260', '--sidecar-image=registry.example:5000/belay:0.1.0-rc.1@sha256:0000000000000000000000000000000000000000000000000000000000000002',
      '--sidecar-image-pull-policy=Always', '--sidecar-image-pull-secret=registry', '--sidecar-image-pull-secret=mirror', '--log-level=warn', '--cluster-domain=cluster.example',
    ]));
    expect(argsOf(find<Deployment>(objects, 'Deployment', 'belay').spec)).toEqual(expect.arrayContaining(['--local-tier-image-pull-secret=registry', '--local-tier-image-pull-policy=Always']));
    for (const object of objects.filter(({ kind }) => kind !== 'CustomResourceDefinition')) {
      expect(object.metadata).toMatchObject({ labels: { 'cost-centre': '4711' }, annotations: { owner: 'platform@example.com' } });
    }
  });

  test.each<[string, object, string, string]>([
    ['the appVersion by default', {}, 'ghcr.io/belay-dev/belay:0.1.0', 'ghcr.io/belay-dev/belay:0.1.0'],
    ['a tag', { image: { tag: 'main' } }, 'ghcr.io/belay-dev/belay:main', 'ghcr.io/belay-dev/belay:main'],
    ['a digest', { image: { digest: `sha256:${'a'.repeat(64)}` } }, `ghcr.io/belay-dev/belay@sha256:${'a'.repeat(64)}`, `ghcr.io/belay-dev/belay@sha256:${'a'.repeat(64)}`],
    ['a mirror', { image: { repository: 'registry.example:5000/mirror/belay' } }, 'registry.example:5000/mirror/belay:0.1.0', 'registry.example:5000/mirror/belay:0.1.0'],
    ['a tag for the sidecar alone', { image: { digest: `sha256:${'a'.repeat(64)}` }, sidecar: { image: { tag: 'next' } } }, `ghcr.io/belay-dev/belay@sha256:${'a'.repeat(64)}`, 'ghcr.io/belay-dev/belay:next'],
    ['a repository for the sidecar alone', { sidecar: { image: { repository: 'mine/sidecar' } } }, 'ghcr.io/belay-dev/belay:0.1.0', 'mine/sidecar:0.1.0'],
  ])('name an image by %s', async (_, values, operator, sidecar) => {
    const objects = await renderChart({ values });
    const { spec } = find<Deployment>(objects, 'Deployment', 'belay-webhook');
    expect(spec.template.spec.containers[0]?.image).toBe(operator);
    expect(argsOf(spec)).toContain(`--sidecar-image=${sidecar}`);
  });

  test('make room for each other on the node\'s network, where two cannot have one port', async () => {
    const strategyOf = async (replicas: number) => find<Deployment>(await renderChart({ values: { webhook: { hostNetwork: true, replicas } } }), 'Deployment', 'belay-webhook').spec.strategy;
    expect([await strategyOf(1), await strategyOf(2)]).toEqual([1, 2].map(() => ({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } })));
    expect(await tryRender({ values: { webhook: { hostNetwork: true, port: 10250 } } })).toEqual({ refused: expect.stringContaining("webhook.port is 10250, which the kubelet has on the node's network") });
  });

  test('can be drained from a node: no budget that one replica breaks', async () => {
    const objects = await renderChart({ args: ['--set', 'webhook.replicas=1'] });
    expect(objects.filter(({ kind }) => kind === 'PodDisruptionBudget').map(({ spec }) => spec)).toEqual([expect.objectContaining({ maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' })]);
  });
});

test('the webhook meets annotated pods alone, outside of the system\'s namespaces and its own', async () => {
  const { webhooks } = find<{ readonly webhooks: readonly object[] }>(await renderChart({ namespace: 'ai', values: { injection: { excludedNamespaces: ['ingress', 'ai'] } } }), 'MutatingWebhookConfiguration', 'belay-injector');
  expect(webhooks).toEqual([expect.objectContaining({
    name: 'inject.belay.dev', failurePolicy: 'Fail', reinvocationPolicy: 'IfNeeded', sideEffects: 'None', timeoutSeconds: 5,
    clientConfig: { service: { name: 'belay-webhook', namespace: 'ai', path: '/inject', port: 443 } },
    namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', 'kube-node-lease', 'ai', 'ingress'] }] },
  })]);
  expect(JSON.stringify(webhooks)).toContain(`'${podAnnotations.inject}' in object.metadata.annotations`);
});

describe('with another name', () => {
  test.each<[string, string, readonly string[], string]>([
    ['of the release', 'prod', [], 'prod-belay'],
    ['of the release that holds the chart\'s', 'my-belay', [], 'my-belay'],
    ['by fullnameOverride', 'prod', ['--set', 'fullnameOverride=fallback'], 'fallback'],
    ['by nameOverride', 'prod', ['--set', 'nameOverride=fb'], 'prod-fb'],
    ['at the length limit', 'a'.repeat(53), [], 'a'.repeat(43)],
    ['at the length limit, by override', 'x', ['--set', `fullnameOverride=${'b'.repeat(42)}-${'c'.repeat(20)}`], 'b'.repeat(42)],
  ])('%s every object and the operator agree on it', async (_, release, args, name) => {
    const objects = await renderChart({ release, args: ['--values', everything, ...args] });
    const own = objects.filter(({ kind, metadata }) => kind !== 'CustomResourceDefinition' && !metadata.name.startsWith('belay.dev:'));
    expect(own.filter(({ metadata }) => metadata.name !== name && !metadata.name.startsWith(`${name}-`)).map(({ metadata }) => metadata.name)).toEqual([]);
    expect(own.filter(({ metadata }) => metadata.name.length > 63)).toEqual([]);
    for (const deployment of [name, `${name}-webhook`]) expect(argsOf(find<Deployment>(objects, 'Deployment', deployment).spec)).toContain(`--name=${name}`);
    expect(find(objects, 'MutatingWebhookConfiguration', `${name}-injector`)).toMatchObject({ webhooks: [{ clientConfig: { service: { name: `${name}-webhook` } } }] });
    expect(JSON.stringify(find(objects, 'Role', name)['rules'])).toContain(`"resourceNames":["${name}"]`);
    expect(JSON.stringify(find(objects, 'ClusterRole', `${name}-webhook`)['rules'])).toContain(`"resourceNames":["${name}-injector"]`);
  });
});

describe('a name that YAML reads as something else stays a text', () => {
  test.each<[string, string, string, object]>([
    ['a release of digits', '4711', 'belay-system', { fullnameOverride: 'belay' }],
    ['a namespace of digits', 'belay', '2026', { secretAccess: 'namespaces', secretNamespaces: ['2027'], injection: { excludedNamespaces: ['2028'] } }],
    ['a namespace called on', 'belay', 'on', { localTier: { access: 'namespaces', namespaces: ['off'] } }],
    ['a name like a number', 'belay', 'belay-system', { nameOverride: '1e3' }],
    ['a full name like a truth', 'belay', 'belay-system', { fullnameOverride: 'true' }],
  ])('%s', async (_, release, namespace, values) => {
    const text = await renderText({ release, namespace, args: ['--values', everything], values });
    // As helm and kubectl read it, to whom "on" is a truth.
    const objects = parseAllDocuments(text, { version: '1.1' }).map((document) => document.toJSON() as Rendered);
    expect(objects.flatMap((object) => namesWithin(object, object.kind)).filter(([, value]) => typeof value !== 'string')).toEqual([]);
  });

  test.each([['a.b', 'a.b-belay'], ['1st', '1st-belay']])('release %s, whose Service the API server would refuse, is refused at once', async (release, name) => {
    expect(await tryRender({ release })).toEqual({ refused: expect.stringContaining(`objects would be named ${name}, and a Service's name begins with a letter and holds letters, digits and dashes alone: set fullnameOverride`) });
  });
});

describe('network policies', () => {
  test('let in what the operator serves, and out to the API server alone', async () => {
    const objects = await renderChart({ args: ['--set', 'networkPolicy.enabled=true'] });
    for (const [component, deployment] of [['controller', 'belay'], ['webhook', 'belay-webhook']] as const) {
      const { spec } = find<Deployment>(objects, 'Deployment', deployment);
      const served = spec.template.spec.containers[0]?.ports.map(({ containerPort }) => ({ port: containerPort, protocol: 'TCP' }));
      expect(find(objects, 'NetworkPolicy', `belay-${component}`)['spec']).toEqual({
        podSelector: { matchLabels: spec.selector.matchLabels },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ ports: served }],
        egress: [{ ports: [{ port: 443, protocol: 'TCP' }, { port: 6443, protocol: 'TCP' }] }],
      });
    }
  });

  test('are not there unless they are asked for', async () => {
    expect((await renderChart()).map(({ kind }) => kind)).not.toContain('NetworkPolicy');
  });
});

test('monitors find the ports that there are', async () => {
  const objects = await renderChart({ args: ['--values', everything] });
  expect(find(objects, 'PodMonitor', 'belay-sidecars')['spec']).toEqual({
    namespaceSelector: { any: true }, selector: { matchLabels: { [injectedLabel]: 'true' } }, podMetricsEndpoints: [{ port: 'belay-admin', path: '/metrics', interval: '30s' }],
  });
  expect(readFileSync(join(repository, 'operator/core/inject/sidecar-container.ts'), 'utf8')).toContain(`{ name: 'belay-admin', containerPort: adminPort`);
  expect(adminPort).toBe(7412);
  const { spec } = find<{ readonly spec: { readonly selector: { readonly matchLabels: Record<string, string> } } }>(objects, 'ServiceMonitor', 'belay');
  const services = objects.filter(({ kind, metadata }) => kind === 'Service' && Object.entries(spec.selector.matchLabels).every(([key, value]) => metadata.labels?.[key] === value));
  expect(services.map(({ metadata, spec: service }) => [metadata.name, service])).toEqual(['controller', 'webhook'].map((component) => [
    `belay-${component}-metrics`, expect.objectContaining({ clusterIP: 'None', ports: [{ name: 'metrics', port: 8081, targetPort: 'probes', protocol: 'TCP' }] }),
  ]));
});

test('the policy that requires injection looks for the container that injection adds', async () => {
  const policy = find<{ readonly spec: { readonly validations: readonly { readonly expression: string }[] } }>(await renderChart({ args: ['--set', 'injection.required=true'] }), 'ValidatingAdmissionPolicy', 'belay-injection-required');
  expect(policy.spec.validations[0]?.expression).toContain(`container.name == '${sidecarContainerName}'`);
});

test.each<[string, string, readonly string[], string]>([
  ['default', 'belay-system', [], 'default'],
  ['kube-public, where Belay itself is in default', 'default', [], 'kube-public'],
  ['kube-public, where default is excluded', 'belay-system', ['default'], 'kube-public'],
  ['none, where both are', 'kube-public', ['default'], ''],
])('helm test asks for a pod in a namespace that is injected: %s', async (_, namespace, excludedNamespaces, where) => {
  const objects = await renderChart({ namespace, values: { injection: { excludedNamespaces } } });
  const { spec } = find<{ readonly spec: PodSpec }>(objects, 'Pod', 'belay-test');
  expect(spec.containers[0]?.args).toEqual(['/test/test-installation.mjs', 'belay', where, '30']);
  const hooks = objects.filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === 'test');
  expect(hooks.filter(({ metadata }) => metadata.namespace !== namespace).map(({ kind, metadata }) => [kind, metadata.namespace])).toEqual(where === '' ? [] : [['Role', where], ['RoleBinding', where]]);
  // helm test --logs looks for a pod of the name of each.
  expect([...new Set(hooks.map(({ metadata }) => metadata.name))]).toEqual(['belay-test']);
});

test('nothing but the test and the cleanup is a hook, so that uninstalling without hooks takes the webhook along', async () => {
  const hooks = (await renderChart({ args: ['--values', everything] })).filter(isHook);
  expect([...new Set(hooks.map(({ metadata }) => metadata.annotations?.['helm.sh/hook']))].sort()).toEqual(['post-delete', 'test']);
  expect(hooks.map(({ kind }) => kind)).not.toContain('MutatingWebhookConfiguration');
  expect((await renderChart({ args: ['--set', 'cleanup.enabled=false'] })).map(({ metadata }) => metadata.name)).not.toContain('belay-cleanup');
});

test('notes say the next three commands', async () => {
  const notes = async (args: readonly string[], namespace = 'ai') => (await runTool('helm', ['install', 'belay', chart, '--dry-run=client', '--namespace', namespace, ...args])).stdout.split('NOTES:\n')[1] ?? '';
  expect((await notes([])).match(/^ {2}(helm|kubectl) .*/gm)).toEqual([
    '  helm test belay --namespace ai',
    '  kubectl get fallbackchains,modelproviders --namespace NAMESPACE',
    expect.stringContaining('"belay.dev/inject":"true"'),
  ]);
  expect(await notes(['--set', 'secretAccess=namespaces'])).toContain('secretNamespaces is empty: no provider that needs a key can be served.');
  expect(await notes([], 'default')).toContain('this is "default": applications in it get no sidecar.');
});

function argsOf(spec: Deployment['spec'] | undefined): readonly string[] {
  return spec?.template.spec.containers[0]?.args ?? [];
}

function podLabelsOf({ kind, metadata, spec }: Rendered): readonly { readonly owner: string; readonly labels: Readonly<Record<string, string>> }[] {
  const owner = `${kind} ${metadata.name}`;
  if (kind === 'Pod') return [{ owner, labels: metadata.labels ?? {} }];
  const template = (spec as { readonly template?: { readonly metadata: { readonly labels: Readonly<Record<string, string>> } } } | undefined)?.template;
  return template === undefined ? [] : [{ owner, labels: template.metadata.labels }];
}

const namedKeys = /^(name|namespace|serviceAccountName|priorityClassName|policyName|app\.kubernetes\.io\/.+)$/;

/** Whatever an object holds under a key that takes a name, and its place. */
function namesWithin(at: unknown, path: string): readonly (readonly [string, unknown])[] {
  if (typeof at !== 'object' || at === null || path.endsWith('.openAPIV3Schema')) return [];
  return Object.entries(at).flatMap(([key, value]: [string, unknown]) => [...(namedKeys.test(key) && (typeof value !== 'object' || value === null) ? [[`${path}.${key}`, value] as const] : []), ...namesWithin(value, `${path}.${key}`)]);
}
