import {
  adminPort, bootstrapName, sidecarContainerName, sidecarFiles, sidecarProcessVariables, sidecarVariables, tokenAudience, tokenExpirationSeconds,
} from '@belay/contract';
import type { Injection } from './parse-injection.ts';
import type { Container, EnvironmentVariable, Named, Resources } from './pod.ts';
import { heapMebibytes } from './sidecar-resources.ts';
import { runAs, type UserIds } from './user-ids.ts';

/** What the installation adds to a pod's annotations. */
export interface InjectionSettings {
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  /** Secrets by name that every injected pod gets. */
  readonly imagePullSecrets: readonly string[];
  /** HOST:PORT */
  readonly distributor: string;
  readonly userIds: UserIds;
  /** Certificate authorities of the distributor, as PEM. */
  readonly caCertificates: string;
}

const [tokenFolder, tokenFile] = folderAndName(sidecarFiles.token);
const tokenVolume = 'belay-token';
const bootstrapVolume = 'belay-bootstrap';
/** Where the API server's ServiceAccount plug-in would mount the application's own token in every container that has nothing there. */
const apiTokenFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Of Node, the image's entry point. A young generation of 4 MiB keeps the resident memory low. */
const programArguments = ['--max-semi-space-size=4', '/app/sidecar.mjs'];

/** Projected only: an emptyDir would keep the cluster autoscaler from removing the node. */
export const sidecarVolumes: readonly Named[] = [
  volume(tokenVolume, { serviceAccountToken: { audience: tokenAudience, expirationSeconds: tokenExpirationSeconds, path: tokenFile } }),
  volume(bootstrapVolume, { configMap: { name: bootstrapName, optional: true } }),
];

/** What a sidecar takes from its pod. */
export interface PodTerms {
  readonly userIds: UserIds;
  readonly resources: Resources;
  readonly proxy: readonly EnvironmentVariable[];
}

/** A native sidecar (KEP-753) that keeps the restricted Pod Security standard. */
export function sidecarContainer({ chains, image, logLevel }: Injection, settings: InjectionSettings, { userIds, resources, proxy }: PodTerms): Container {
  const container = {
    name: sidecarContainerName,
    image: image ?? settings.image,
    imagePullPolicy: settings.imagePullPolicy,
    args: programArguments,
    restartPolicy: 'Always',
    env: [...environment(chains, logLevel, settings, resources), ...proxy],
    ports: [{ name: 'belay-admin', containerPort: adminPort, protocol: 'TCP' }],
    resources,
    startupProbe: probe('/startup', { periodSeconds: 1, failureThreshold: 60 }),
    readinessProbe: probe('/ready', { periodSeconds: 5, failureThreshold: 3 }),
    livenessProbe: probe('/live', { periodSeconds: 10, failureThreshold: 6 }),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      ...runAs(userIds),
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [
      { name: tokenVolume, mountPath: tokenFolder, readOnly: true },
      { name: tokenVolume, mountPath: apiTokenFolder, readOnly: true },
      { name: bootstrapVolume, mountPath: sidecarFiles.bootstrap, readOnly: true },
    ],
  };
  return container;
}

function environment(chains: readonly string[], logLevel: string, settings: InjectionSettings, resources: Resources): readonly EnvironmentVariable[] {
  return [
    { name: sidecarVariables.distributor, value: settings.distributor },
    { name: sidecarVariables.chains, value: chains.join(',') },
    fromPod(sidecarVariables.podName, 'metadata.name'),
    fromPod(sidecarVariables.namespace, 'metadata.namespace'),
    fromPod(sidecarVariables.podUid, 'metadata.uid'),
    fromPod(sidecarProcessVariables.podIp, 'status.podIP'),
    { name: sidecarProcessVariables.logLevel, value: logLevel },
    { name: sidecarVariables.certificates, value: settings.caCertificates },
    { name: 'NODE_OPTIONS', value: `--max-old-space-size=${heapMebibytes(resources)}` },
  ];
}

function fromPod(name: string, fieldPath: string): EnvironmentVariable {
  return { name, valueFrom: { fieldRef: { fieldPath } } };
}

function probe(path: string, timing: { readonly periodSeconds: number; readonly failureThreshold: number }): object {
  return { httpGet: { path, port: adminPort }, timeoutSeconds: 5, ...timing };
}

function volume(name: string, source: object): Named & { readonly projected: object } {
  return { name, projected: { sources: [source] } };
}

function folderAndName(path: string): readonly [string, string] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, slash), path.slice(slash + 1)];
}
