import { groupVersion, parsed, podAnnotations, refused, type Parsed } from '@belay/contract';
import { parseQuantity } from '../inject/quantity.ts';
import type { ModelProvider } from '../resources/model-provider.ts';
import { localTierName, localTierPort, managedBy, managedByLabel, providerLabel, providerLabelValue } from './local-tier-names.ts';

/** What the installation says about every local tier. */
export interface LocalTierSettings {
  /** Image of llama.cpp's server, whose entrypoint is the server. */
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  /** Secrets by name in the provider's namespace. */
  readonly imagePullSecrets: readonly string[];
  /** DNS domain of the cluster's Services, such as `cluster.local`. */
  readonly clusterDomain: string;
}

/** An object as server-side apply takes it: exactly the fields that the operator owns. */
export interface AppliedObject {
  readonly apiVersion: string;
  readonly kind: 'Deployment' | 'Service';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences: readonly object[];
  };
  readonly spec: object;
}

type Local = NonNullable<ModelProvider['spec']['local']>;

interface Quantities { readonly [resource: string]: string | number }

interface Resources { readonly requests: Quantities; readonly limits?: Quantities }

export const llamaContainerName = 'llama';
export const modelFolder = '/models';
const modelVolume = 'models';
const healthPath = '/health';
/** The `nonroot` user of distroless images, as Belay's own programs. */
const user = 65532;
/** How long a model may take to load, in seconds; the Deployment waits a little longer before it says that it does not get on. */
const loadSeconds = 1_800;
const progressDeadlineSeconds = 2_100;
/** SIGTERM stops llama.cpp's generation at once and leaves open streams silent: there is nothing to wait for. */
const terminationGracePeriodSeconds = 5;
/** Without a limit: the size of a model is not known, and its weights are page cache that the kernel can take back. */
const defaultRequests: Quantities = { cpu: '500m', memory: '1Gi' };
/** In the billionths that `parseQuantity` gives. */
const oneCore = 1_000_000_000n;

/**
 * The Deployment and the Service of a provider's `spec.local`, by control-plane: Local tier. Refused where the model's path would leave its volume.
 * `metadata.namespace` and `metadata.uid` must be there: an object that the API server has stored.
 */
export function localTierObjects(provider: ModelProvider, settings: LocalTierSettings): Parsed<readonly [AppliedObject, AppliedObject]> {
  const { local } = provider.spec;
  if (local === undefined) return refused('spec.local', 'must be set: Belay runs a server for local providers alone');
  const file = parseModelPath(local.model.persistentVolumeClaim.path);
  if (!file.ok) return file;
  const metadata = metadataOf(provider);
  return parsed([
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: deploymentSpec(provider.metadata.name, local, file.value, settings) },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: serviceSpec(provider.metadata.name) },
  ]);
}

/** A file's path within its volume; the CRD says the same, and a mount must not depend on it. */
function parseModelPath(path: string): Parsed<string> {
  const parts = path.split('/');
  const leaves = parts.some((part) => part === '' || part === '.' || part === '..');
  return !leaves && /^[ -~]+$/.test(path)
    ? parsed(path)
    : refused('spec.local.model.persistentVolumeClaim.path', `must be a path within the volume, such as qwen/qwen2.5-1.5b-q4_k_m.gguf, not ${JSON.stringify(path)}`);
}

function metadataOf({ metadata: { name, namespace, uid } }: ModelProvider): AppliedObject['metadata'] {
  if (namespace === undefined || uid === undefined) throw new Error(`ModelProvider ${name} has no namespace or uid: it was never stored`);
  return {
    name: localTierName(name), namespace, labels: labelsOf(name),
    ownerReferences: [{ apiVersion: groupVersion, kind: 'ModelProvider', name, uid, controller: true, blockOwnerDeletion: true }],
  };
}

function labelsOf(provider: string): Readonly<Record<string, string>> {
  return { [managedByLabel]: managedBy, [providerLabel]: providerLabelValue(provider) };
}

function serviceSpec(provider: string): object {
  return { selector: labelsOf(provider), ports: [{ name: 'http', protocol: 'TCP', port: localTierPort, targetPort: localTierPort }] };
}

function deploymentSpec(provider: string, local: Local, file: string, settings: LocalTierSettings): object {
  return {
    replicas: local.replicas,
    // The volume is often ReadWriteOnce: two generations of pods cannot hold it at once.
    strategy: { type: 'Recreate' },
    progressDeadlineSeconds,
    revisionHistoryLimit: 2,
    selector: { matchLabels: labelsOf(provider) },
    template: {
      metadata: { labels: labelsOf(provider), annotations: { [podAnnotations.inject]: 'false' } },
      spec: podSpec(local, file, settings),
    },
  };
}

function podSpec(local: Local, file: string, settings: LocalTierSettings): object {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds,
    securityContext: {
      runAsNonRoot: true, runAsUser: user, runAsGroup: user,
      // Of a volume that is mounted read-only the kubelet changes no owner; drivers that mount for a group take this one.
      fsGroup: user, fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...(settings.imagePullSecrets.length === 0 ? {} : { imagePullSecrets: settings.imagePullSecrets.map((name) => ({ name })) }),
    containers: [container(local, file, settings)],
    volumes: [{ name: modelVolume, persistentVolumeClaim: { claimName: local.model.persistentVolumeClaim.claimName, readOnly: true } }],
  };
}

function container(local: Local, file: string, { image, imagePullPolicy }: LocalTierSettings): object {
  const resources = resourcesOf(local);
  return {
    name: llamaContainerName, image, imagePullPolicy,
    args: llamaArguments(local, file, threadsWithin(resources)),
    ports: [{ name: 'http', containerPort: localTierPort, protocol: 'TCP' }],
    resources,
    startupProbe: probe({ periodSeconds: 1, timeoutSeconds: 1, failureThreshold: loadSeconds }),
    readinessProbe: probe({ periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 3 }),
    // A busy server is no dead one: only five minutes without an answer are.
    livenessProbe: probe({ periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 10 }),
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, privileged: false, readOnlyRootFilesystem: true },
    volumeMounts: [{ name: modelVolume, mountPath: modelFolder, readOnly: true }],
  };
}

/**
 * llama-server's arguments, as `belay run` gives them: `--ctx-size` is what all slots share. A `$` is doubled, or the kubelet would take `$(NAME)` for
 * a variable.
 */
function llamaArguments({ contextTokens, parallel }: Local, file: string, threads: bigint): readonly string[] {
  const args = [
    '--model', `${modelFolder}/${file}`, '--alias', file.slice(file.lastIndexOf('/') + 1).replace(/\.gguf$/i, ''),
    '--host', '0.0.0.0', '--port', String(localTierPort),
    '--ctx-size', String(contextTokens * parallel), '--parallel', String(parallel),
    '--threads', String(threads), '--metrics', '--jinja', '--no-webui',
  ];
  return args.map((text) => text.replaceAll('$', '$$$$'));
}

/**
 * One thread for each whole core that the pod may count on: its limit, else its request. llama.cpp would start one for each core of the node; its
 * threads wait for each other, spinning, after every step, so that one which is throttled or finds its core taken holds up all of them.
 */
function threadsWithin({ requests, limits }: Resources): bigint {
  const cores = parseQuantity(String(limits?.['cpu'] ?? requests['cpu'])) ?? 0n;
  return cores < oneCore ? 1n : cores / oneCore;
}

function probe(timing: { readonly periodSeconds: number; readonly timeoutSeconds: number; readonly failureThreshold: number }): object {
  return { httpGet: { path: healthPath, port: localTierPort, scheme: 'HTTP' }, ...timing };
}

/** As written; a request that is not, and that no limit stands in for, is the default. */
function resourcesOf(local: Local): Resources {
  const { requests = {}, limits } = local.resources ?? {};
  const missing = Object.entries(defaultRequests).filter(([name]) => requests[name] === undefined && limits?.[name] === undefined);
  return { requests: { ...Object.fromEntries(missing), ...requests }, ...(limits === undefined ? {} : { limits }) };
}
