import { canonicalJson, schemaVersion, type RoutingTable } from '@belay/contract';
import type { FallbackChain } from '../resources/fallback-chain.ts';
import type { ModelProvider } from '../resources/model-provider.ts';
import { byName } from './by-name.ts';
import { compileChain, type CompiledChainEntry } from './compile-chain.ts';
import { compileProvider, type CompiledProvider } from './compile-provider.ts';
import type { KnownProviders } from './resolve-targets.ts';
import { conditionOf, findingsOf, type Condition, type ResourceConditions } from './conditions.ts';
import { sharedProviders } from './foreign-providers.ts';
import { claimModelNames } from './model-names.ts';
import type { CompileTools, Manifest, Snapshot } from './snapshot.ts';

export interface Compilation {
  readonly table: RoutingTable;
  /** One for each resource: providers first, each kind sorted by name. */
  readonly conditions: readonly ResourceConditions[];
}

/**
 * Everything that one namespace serves, as a table, and what is wrong with each of its resources. Total: whatever stands in the resources, there
 * is a table; a chain that cannot be served travels with the sentence that says why. Deterministic: the same resources, in any order, give the
 * same version.
 */
export function compileNamespace(snapshot: Snapshot, tools: CompileTools): Compilation {
  const providers = byName<ModelProvider>('ModelProvider', snapshot.providers).map((resource) => ({ resource, compiled: compileProvider(resource, snapshot.namespace, snapshot, tools) }));
  const known: KnownProviders = new Map([
    ...providers.map(({ compiled }) => [compiled.name, compiled] as const),
    ...[...sharedProviders(snapshot)].map(([name, { namespace, resource, permitted }]) => [name, permitted ? compileProvider(resource, namespace, snapshot, tools) : 'NotPermitted'] as const),
  ]);
  const chainResources = byName<FallbackChain>('FallbackChain', snapshot.chains);
  const claimed = claimModelNames(chainResources);
  const chains = chainResources.map((resource) => ({
    resource,
    compiled: compileChain(resource, claimed.get(resource.metadata.name) ?? { names: [], lost: [] }, known, snapshot.namespace),
  }));
  return {
    table: tableOf(snapshot.namespace, known, chains.map(({ compiled }) => compiled), tools),
    conditions: [
      ...providers.map(({ resource, compiled }) => reportOf('ModelProvider', resource, compiled.findings, providerConditions(compiled))),
      ...chains.map(({ resource, compiled }) => reportOf('FallbackChain', resource, compiled.findings, chainConditions(compiled))),
    ],
  };
}

function tableOf(namespace: string, known: KnownProviders, chains: readonly CompiledChainEntry[], tools: CompileTools): RoutingTable {
  const used = new Set(chains.flatMap(({ entry }) => entry.targets.map(({ provider }) => provider)));
  // A chain that cannot be served is served on in its last good form, whose providers this table must then still have.
  const goesOn = chains.some(({ entry }) => entry.unroutable !== null);
  const content = {
    schemaVersion,
    namespace,
    providers: [...known.values()].flatMap((provider) => (provider === 'NotPermitted' || provider.entry === null || !(goesOn || used.has(provider.name)) ? [] : [provider.entry]))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    chains: chains.map(({ entry }) => entry),
  } as const;
  return { version: `sha256:${tools.sha256Hex(canonicalJson(content))}`, ...content };
}

function reportOf(kind: ResourceConditions['kind'], { metadata }: Manifest, findings: ResourceConditions['findings'], conditions: readonly Condition[]): ResourceConditions {
  return { kind, name: metadata.name, observedGeneration: metadata.generation ?? null, conditions, findings };
}

function providerConditions({ findings }: CompiledProvider): readonly Condition[] {
  const refused = findingsOf(findings, 'Error', 'Accepted');
  return [
    refused.length > 0
      ? conditionOf('Accepted', 'False', 'Accepted', '', refused)
      : conditionOf('Accepted', 'True', 'Accepted', 'Chains can use this provider.', findingsOf(findings, 'Warning')),
    resolvedRefs(findings),
  ];
}

function chainConditions({ entry, findings, obstacles }: CompiledChainEntry): readonly Condition[] {
  const errors = findingsOf(findings, 'Error');
  const accepted = entry.unroutable === null;
  return [
    accepted
      ? conditionOf('Accepted', 'True', 'Accepted', 'The chain can be served.', findingsOf(findings, 'Warning'))
      : { ...conditionOf('Accepted', 'False', 'NoUsableTarget', '', findingsOf(findings, 'Error', 'Accepted')), message: sentenceOf(entry.unroutable) },
    resolvedRefs(findings),
    ...(accepted && errors.length > 0 ? [conditionOf('PartiallyInvalid', 'True', 'PartiallyInvalid', '', errors)] : []),
    readyOf(accepted, obstacles),
  ];
}

function resolvedRefs(findings: ResourceConditions['findings']): Condition {
  const unresolved = findingsOf(findings, 'Error', 'ResolvedRefs');
  return conditionOf('ResolvedRefs', unresolved.length === 0 ? 'True' : 'False', 'ResolvedRefs', 'Everything that is referred to exists.', unresolved);
}

function readyOf(accepted: boolean, obstacles: readonly string[] | null): Condition {
  if (!accepted) return { type: 'Ready', status: 'False', reason: 'NotAccepted', message: 'The chain is not accepted: see the condition Accepted.' };
  if (obstacles !== null) return { type: 'Ready', status: 'False', reason: 'NoUsableTarget', message: `No target can answer: ${obstacles.join(', ')}.` };
  return { type: 'Ready', status: 'True', reason: 'Ready', message: 'At least one target can answer.' };
}

function sentenceOf(text: string | null): string {
  return text === null ? '' : `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
