import fc from 'fast-check';
import type { Container, EnvironmentVariable, Pod } from '@belay/operator/core/inject/pod.ts';

const value = fc.oneof(
  fc.record({ value: fc.constantFrom('', '*', 'localhost', 'a, 127.0.0.1', '127.0.0.1,localhost', 'http://127.0.0.1:7411/v1', 'https://llm.example') }),
  // As an API server hands an empty value on.
  fc.constant({}),
  fc.constant({ valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }),
);
const variables: fc.Arbitrary<EnvironmentVariable[]> = fc.uniqueArray(
  fc.tuple(fc.constantFrom('OPENAI_BASE_URL', 'OPENAI_API_KEY', 'HTTP_PROXY', 'https_proxy', 'ALL_PROXY', 'NO_PROXY', 'no_proxy', 'MODE'), value).map(([name, content]) => ({ name, ...content })),
  { selector: ({ name }) => name, maxLength: 8 },
);
const quantities = fc.record({ cpu: fc.constantFrom('1', '1000m', '2'), memory: fc.constantFrom('1Gi', '1024Mi', '2G') }, { requiredKeys: [] });
const container = fc.record({
  env: variables,
  envFrom: fc.constantFrom([], [{ configMapRef: { name: 'settings' } }]),
  resources: fc.record({ requests: quantities, limits: quantities }, { requiredKeys: [] }),
  image: fc.constant('registry.example/app:1'),
}, { requiredKeys: ['image'] });

function containers(prefix: string, minLength: number): fc.Arbitrary<Container[]> {
  return fc.array(container, { minLength, maxLength: 3 }).map((list) => list.map((content, index) => ({ name: `${prefix}${index}`, ...content }) as Container));
}

/** Pods that injection takes, with and without each list. */
export const arbitraryPod: fc.Arbitrary<Pod> = fc.record({
  metadata: fc.record({
    annotations: fc.record({
      'belay.dev/inject': fc.constantFrom('true', 'chat', 'chat, bulk'),
      'belay.dev/inject-env': fc.constantFrom('true', 'false'),
      'belay.dev/sidecar-cpu': fc.constantFrom('0.5', '20m'),
      'belay.dev/sidecar-memory-limit': fc.constantFrom('1G', '64Mi'),
      'belay.dev/other': fc.constant('unknown'),
    }, { requiredKeys: ['belay.dev/inject'] }),
    labels: fc.constantFrom<{ [name: string]: string }>({}, { app: 'a' }, { 'belay.dev/injected': 'false' }),
  }, { requiredKeys: ['annotations'] }),
  spec: fc.record({
    containers: containers('app', 1),
    initContainers: containers('init', 0),
    volumes: fc.constantFrom([], [{ name: 'scratch', emptyDir: {} }]),
    imagePullSecrets: fc.constantFrom([], [{ name: 'registry-login' }], [{ name: 'own' }]),
    // Room for all that the containers and the annotations ask for: an API server refuses a sum above the pod's own.
    resources: fc.constantFrom({}, { limits: { cpu: '64' } }),
  }, { requiredKeys: ['containers'] }),
}) as fc.Arbitrary<Pod>;

/** What another injector does: a sidecar of its own at that place among the init containers, a variable, a volume and a mount everywhere. */
export function meddle(pod: Pod, place: number): Pod {
  const touched = (list: readonly Container[] = []) => list.map((one) => ({
    ...one,
    env: [{ name: 'OTHER', value: 'other' }, ...(one.env ?? [])],
    volumeMounts: [{ name: 'other', mountPath: '/other' }, ...((one as { readonly volumeMounts?: readonly object[] }).volumeMounts ?? [])],
  }));
  const other = { name: 'other', image: 'registry.example/other:1', restartPolicy: 'Always' };
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: touched(pod.spec.containers),
      initContainers: touched((pod.spec.initContainers ?? []).toSpliced(place, 0, other)),
      volumes: [{ name: 'other' }, ...(pod.spec.volumes ?? [])],
    },
  };
}
