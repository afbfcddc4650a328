import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { CompileTools, Manifest, Snapshot } from '@belay/operator/core/compile/snapshot.ts';

interface Resource extends Manifest {
  readonly kind: string;
  readonly data?: { readonly [key: string]: string };
}

/** The real tools: Node's SHA-256 and URL. */
export const nodeTools: CompileTools = {
  sha256Hex: (text) => createHash('sha256').update(text).digest('hex'),
  parseURL: (text) => (URL.canParse(text) ? new URL(text) : null),
};

/** The resources of YAML text as a snapshot of namespace `default` under `belay run`; Secrets count only where `secrets` is asked for. */
export function snapshotOf(yaml: string, options: Partial<Snapshot> & { readonly withSecrets?: boolean } = {}): Snapshot {
  const { withSecrets = false, ...rest } = options;
  const resources = parseAllDocuments(yaml).map((document) => document.toJS() as Resource | null).filter((resource) => resource !== null);
  const of = (kind: string) => resources.filter((resource) => resource.kind === kind);
  return {
    namespace: 'default',
    providers: of('ModelProvider'),
    chains: of('FallbackChain'),
    configMaps: of('ConfigMap').map(({ metadata, data = {} }) => ({ name: metadata.name, data })),
    ...(withSecrets ? { secrets: of('Secret').map(({ metadata, data = {} }) => ({ name: metadata.name, keys: Object.keys(data) })) } : {}),
    standalone: true,
    clusterDomain: 'cluster.local',
    ...rest,
  };
}

/** Every YAML file of a folder as one text. */
export function readManifests(folder: string): string {
  return readdirSync(folder).filter((file) => file.endsWith('.yaml')).sort().map((file) => readFileSync(join(folder, file), 'utf8')).join('\n---\n');
}
