import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { requiredKeys } from '@belay/operator/core/compile/required-keys.ts';
import type { CompileTools, Manifest, SecretFact, Snapshot } from '@belay/operator/core/compile/snapshot.ts';

interface Resource extends Manifest {
  readonly kind: string;
  readonly data?: { readonly [key: string]: string };
}

/** The real tools: Node's SHA-256 and URL. */
export const nodeTools: CompileTools = {
  sha256Hex: (text) => createHash('sha256').update(text).digest('hex'),
  parseURL: (text) => (URL.canParse(text) ? new URL(text) : null),
};

/**
 * The resources of YAML text as a snapshot of namespace `default` under `belay run`; resources of other namespaces say so in their metadata.
 * Secrets count only where `withSecrets` asks for them.
 */
export function snapshotOf(yaml: string, options: Partial<Snapshot> & { readonly withSecrets?: boolean } = {}): Snapshot {
  const { withSecrets = false, ...rest } = options;
  const namespace = rest.namespace ?? 'default';
  const resources = parseAllDocuments(yaml).map((document) => document.toJS() as Resource | null).filter((resource) => resource !== null);
  const of = (kind: string) => resources.filter((resource) => resource.kind === kind);
  const own = (kind: string) => of(kind).filter((resource) => ownerOf(resource) === namespace);
  const snapshot: Snapshot = {
    namespace,
    namespaceLabels: of('Namespace').find(({ metadata }) => metadata.name === namespace)?.metadata.labels ?? {},
    providers: own('ModelProvider'),
    foreignProviders: of('ModelProvider').flatMap((resource) => (ownerOf(resource) === namespace ? [] : [{ ...resource, namespace: ownerOf(resource) }])),
    chains: own('FallbackChain'),
    configMaps: of('ConfigMap').map((resource) => ({ namespace: ownerOf(resource), name: resource.metadata.name, data: resource.data ?? {} })),
    secrets: [],
    standalone: true,
    clusterDomain: 'cluster.local',
    ...rest,
  };
  return withSecrets ? { ...snapshot, secrets: requiredKeys(snapshot, nodeTools).map(({ namespace: owner, secretName }) => secretFact(of('Secret'), owner, secretName)) } : snapshot;
}

function secretFact(secrets: readonly Resource[], namespace: string, name: string): SecretFact {
  const secret = secrets.find((resource) => ownerOf(resource) === namespace && resource.metadata.name === name);
  if (secret === undefined) return { namespace, name, state: 'missing' };
  return { namespace, name, state: 'found', keys: Object.fromEntries(Object.keys(secret.data ?? {}).map((key) => [key, 'present'])) };
}

function ownerOf({ metadata }: Manifest): string {
  return metadata.namespace ?? 'default';
}

/** Every YAML file of a folder as one text. */
export function readManifests(folder: string): string {
  return readdirSync(folder).filter((file) => file.endsWith('.yaml')).sort().map((file) => readFileSync(join(folder, file), 'utf8')).join('\n---\n');
}
