import { createHash } from 'node:crypto';
import type { KeyEntry } from '@belay/contract';
import { compileNamespace } from '@belay/operator/core/compile/compile-namespace.ts';
import type { CompileTools, Manifest, Snapshot } from '@belay/operator/core/compile/snapshot.ts';
import { findManifests } from '../manifest/manifest-files.ts';
import { readManifests, type ManifestResource } from '../manifest/read-manifests.ts';
import type { LoadedConfiguration } from './configuration.ts';
import { localModelsOf } from './local-models.ts';

export interface ConfigurationSource {
  readonly paths: readonly string[];
  /** Manifests to read in place of files. */
  readonly starter: string | null;
  readonly namespace: string | null;
  readonly env: NodeJS.ProcessEnv;
}

const tools: CompileTools = {
  sha256Hex: (text) => createHash('sha256').update(text).digest('hex'),
  parseURL: (text) => URL.parse(text),
};

/** Reads, validates and compiles everything that one namespace serves. */
export async function loadConfiguration({ paths, starter, namespace }: ConfigurationSource): Promise<LoadedConfiguration> {
  const { files, faults } = starter === null ? findManifests(paths) : { files: [{ name: '<starter>', text: starter }], faults: [] };
  const { resources, problems } = readManifests(files);
  const lines = [...faults.map(({ message }) => message), ...problems.map((p) => `${p.file}:${p.line}:${p.column}: ${p.path} ${p.message}`)];
  if (lines.length > 0) return { ok: false, problems: lines };
  const ns = namespace ?? resources.find((r) => r.kind === 'FallbackChain')?.namespace ?? 'default';
  const manifests = (kind: string): readonly Manifest[] => resources.filter((r) => r.kind === kind && r.namespace === ns).map((r) => r.value as unknown as Manifest);
  const snapshot: Snapshot = { namespace: ns, providers: manifests('ModelProvider'), chains: manifests('FallbackChain'), configMaps: [], standalone: true, clusterDomain: 'cluster.local' };
  const { table, conditions } = compileNamespace(snapshot, tools);
  const warnings = conditions.flatMap((r) => r.findings.map(({ path, message }) => `${r.kind} ${r.name}: ${path}: ${message}`));
  const keys: readonly KeyEntry[] = [];
  return { ok: true, value: { table, keys, localModels: localModelsOf(snapshot.providers, table), warnings } };
}
