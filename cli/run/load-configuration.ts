import type { RoutingTable } from '@belay/contract';
import type { ErrorReason } from '@belay/operator/core/compile/conditions.ts';
import { resolveKeys } from '../manifest/keys.ts';
import { findManifests } from '../manifest/manifest-files.ts';
import { describeManifestProblem, type ManifestProblem } from '../manifest/manifest-problem.ts';
import { selectNamespace } from '../validate/select-namespace.ts';
import { compileTools, validateManifests } from '../validate/validate-manifests.ts';
import type { LoadedConfiguration } from './configuration.ts';
import { localModelsOf } from './local-models.ts';

/** What to read; plain data. */
export interface ConfigurationSource {
  readonly paths: readonly string[];
  /** Manifests to read in place of files. */
  readonly starter: string | null;
  /** null: the only one that has chains. */
  readonly namespace: string | null;
}

/**
 * Reads, validates and compiles everything that one namespace serves. Manifests that break a rule are refused as a
 * whole; what only some targets suffer from (a reference that leads nowhere, a key that is missing) is a warning.
 */
export async function loadConfiguration({ paths, starter, namespace }: ConfigurationSource, env: NodeJS.ProcessEnv): Promise<LoadedConfiguration> {
  const found = starter === null ? findManifests(paths) : { files: [{ name: 'starter.yaml', text: starter }], faults: [] };
  const validated = await validateManifests(found, { namespace, use: 'Machine' });
  const broken = validated.problems.filter((problem) => problem.severity === 'error' && !(problem.reason in lossReasons));
  if (broken.length > 0) return { ok: false, problems: broken.map(describeManifestProblem) };
  const selected = selectNamespace(validated, namespace);
  if (!selected.ok) return { ok: false, problems: selected.problems.map(({ message }) => message) };
  const { snapshot, compilation: { table }, name } = selected.value;
  const { keys, problems: keyProblems } = resolveKeys({ resources: validated.resources, snapshot, tools: compileTools, env });
  const warnings = [...validated.problems.filter((problem) => isOf(problem, name, table)), ...keyProblems];
  return { ok: true, value: { table, keys, localModels: localModelsOf(snapshot, table), warnings: warnings.map(describeManifestProblem) } };
}

/** Findings of these cost a target or a chain; the rest is served. */
const lossReasons: { readonly [reason in ErrorReason]: true } = {
  InvalidValue: true, InvalidURL: true, InsecureURL: true, DialectNotSupported: true,
  SecretNotFound: true, SecretKeyMissing: true, SecretKeyInvalid: true, SecretAccessDenied: true, ConfigMapNotFound: true, ConfigMapAccessDenied: true, CertificateMissing: true,
  ProviderNotFound: true, ProviderNotAccepted: true, RefNotPermitted: true, NameTaken: true, EgressForbidden: true, NoUsableTarget: true,
};

/** It concerns the namespace that is served, or a provider that it uses of another. */
function isOf({ resource }: ManifestProblem, namespace: string, { providers }: RoutingTable): boolean {
  return resource === null || resource.includes(` ${namespace}/`) || providers.some(({ name }) => resource === `ModelProvider ${name}`);
}
