import { imageNames, modelFile } from '../../../scripts/images/images.ts';

export type Manifest = { readonly apiVersion: string; readonly kind: string; readonly metadata: { readonly name: string; readonly [field: string]: unknown }; readonly [field: string]: unknown };

/** What the restricted Pod Security standard asks of a container. */
const restricted = { allowPrivilegeEscalation: false, runAsNonRoot: true, runAsUser: 65532, capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } };

/** A folder of the node, for the claim `models` of a namespace: where a cluster makes no volumes by itself. With `filledBy`: the same files as that namespace's. */
export function hostVolume(namespace: string, filledBy = namespace): Manifest {
  return {
    apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: `models-${namespace}` },
    spec: {
      capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: '', persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path: `/var/lib/kubelet/belay-models/${filledBy}`, type: 'DirectoryOrCreate' }, claimRef: { namespace, name: 'models' },
    },
  };
}

/** A volume for models, and a Job that puts the small model into it: what a platform team would have done. With `filledBy`: the same files as that namespace's. */
export function modelVolume(namespace: string, { filledBy = namespace }: { readonly filledBy?: string } = {}): readonly Manifest[] {
  return [
    hostVolume(namespace, filledBy),
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'models' }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: '', volumeName: `models-${namespace}`, resources: { requests: { storage: '1Gi' } } } },
    ...(filledBy !== namespace ? [] : [modelJob('fetch-model', 'put')]),
  ];
}

/** A Job that puts the small model into the volume of `modelVolume`, or takes it away. */
export function modelJob(name: string, order: 'put' | 'remove'): Manifest {
  const put = `fs.copyFileSync('/models/${modelFile}', '/volume/${modelFile}'); fs.chmodSync('/volume/${modelFile}', 0o644)`;
  const script = order === 'put' ? put : `fs.rmSync('/volume/${modelFile}')`;
  return {
    apiVersion: 'batch/v1', kind: 'Job', metadata: { name },
    spec: { template: { spec: {
      restartPolicy: 'Never', volumes: [{ name: 'volume', persistentVolumeClaim: { claimName: 'models' } }],
      containers: [{ name: 'copy', image: imageNames.model, imagePullPolicy: 'IfNotPresent', args: ['-e', script], securityContext: { runAsUser: 0 }, volumeMounts: [{ name: 'volume', mountPath: '/volume' }] }],
    } } },
  };
}

/** A provider that does what its script says, to who has its key; `api` is what a chain is pointed at, `orders` is for the test. */
export function standIn(name: string, script: readonly object[] = [{ say: `This is ${name}.` }], key?: string): readonly Manifest[] {
  const labels = { app: name };
  const container = {
    name: 'provider', image: imageNames['stand-in'], imagePullPolicy: 'IfNotPresent', args: ['/app/stand-in.mjs'],
    env: [{ name: 'STAND_IN_NAME', value: name }, { name: 'STAND_IN_SCRIPT', value: JSON.stringify(script) }, ...(key === undefined ? [] : [{ name: 'STAND_IN_KEY', value: key }])],
    readinessProbe: { tcpSocket: { port: 8081 }, periodSeconds: 1 }, securityContext: restricted,
  };
  return [
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } } } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: labels, ports: [{ name: 'api', port: 8080 }, { name: 'orders', port: 8081 }] } },
  ];
}

export interface ApplicationOptions {
  readonly annotations?: { readonly [name: string]: string };
  /** What it asks for; of a list the first, but where it asks on by itself. */
  readonly model?: string;
  /** Asks on by itself, with so many milliseconds between two requests of one model. */
  readonly loadEveryMs?: number;
  readonly spec?: { readonly [field: string]: unknown };
}

/** An application that knows nothing of Belay: the OpenAI SDK, and what its environment says. */
export function application(name: string, { annotations = { 'belay.dev/inject': 'true' }, model = 'chat', loadEveryMs, spec = {} }: ApplicationOptions = {}): Manifest {
  const labels = { app: name };
  const container = {
    name: 'app', image: imageNames.application, imagePullPolicy: 'IfNotPresent', args: ['/app/application.mjs'],
    env: [{ name: 'MODEL', value: model }, ...(loadEveryMs === undefined ? [] : [{ name: 'LOAD_EVERY_MS', value: String(loadEveryMs) }])],
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 }, securityContext: restricted,
  };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels, annotations }, spec: { terminationGracePeriodSeconds: 5, containers: [container], ...spec } } } };
}

/** A provider at a Service of a namespace that speaks the OpenAI dialect, with the key of Secret NAME unless `keyless`. */
export function provider(namespace: string, name: string, { host = name, keyless = false, ...spec }: { readonly host?: string; readonly keyless?: boolean; readonly [field: string]: unknown } = {}): Manifest {
  return belayManifest('ModelProvider', name, {
    dialect: 'OpenAI', baseURL: `http://${host}.${namespace}.svc:8080/v1`, ...(keyless ? {} : { credentials: { secretKeyRef: { name, key: 'apiKey' } } }), ...spec,
  });
}

/** A llama.cpp server that Belay runs, with the model of `modelVolume`. It asks for little, for a small node has many of them. */
export function localProvider(name: string, local: object = {}, spec: object = {}): Manifest {
  const resources = { requests: { cpu: '100m', memory: '256Mi' } };
  return belayManifest('ModelProvider', name, { local: { engine: 'LlamaCpp', model: { persistentVolumeClaim: { claimName: 'models', path: modelFile } }, contextTokens: 1024, parallel: 1, resources, ...local }, ...spec });
}

/** A chain of targets, each a provider's name or a whole target. */
export function chain(name: string, targets: readonly (string | object)[], spec: object = {}): Manifest {
  const whole = targets.map((target) => (typeof target === 'string' ? { providerRef: { name: target }, model: `model-of-${target}` } : target));
  return belayManifest('FallbackChain', name, { targets: whole, ...spec });
}

export function secret(name: string, apiKey: string): Manifest {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { apiKey } };
}

function belayManifest(kind: string, name: string, spec: object): Manifest {
  return { apiVersion: 'belay.dev/v1alpha1', kind, metadata: { name }, spec };
}
