import type { FallbackChainSpec } from '../resources/fallback-chain.ts';
import type { CompiledProvider } from './compile-provider.ts';
import { errorFinding, type Finding } from './conditions.ts';

/** A target of the manifest with what its reference led to. */
export interface ResolvedTarget {
  readonly index: number;
  readonly name: string;
  readonly model: string;
  readonly suspended: boolean;
  readonly provider: CompiledProvider;
}

/** What a chain may refer to, by the names of the table; one of another namespace whose owner does not let this one use it is `NotPermitted`. */
export type KnownProviders = ReadonlyMap<string, CompiledProvider | 'NotPermitted'>;

/** Targets whose provider exists and can be used; each other one becomes a finding. */
export function resolveTargets(spec: FallbackChainSpec, providers: KnownProviders, namespace: string, findings: Finding[]): readonly ResolvedTarget[] {
  return spec.targets.flatMap(({ name, providerRef, model, suspend }, index) => {
    const owner = providerRef.namespace ?? namespace;
    const provider = providers.get(owner === namespace ? providerRef.name : `${owner}/${providerRef.name}`);
    const target = name ?? providerRef.name;
    const refuse = (reason: 'ProviderNotFound' | 'ProviderNotAccepted' | 'RefNotPermitted', field: 'name' | 'namespace', message: string) => {
      findings.push(errorFinding('ResolvedRefs', reason, `spec.targets[${index}].providerRef.${field}`, `target ${target}: ${message}`));
      return [];
    };
    if (provider === undefined) return refuse('ProviderNotFound', 'name', `there is no ModelProvider "${providerRef.name}" in namespace ${owner}`);
    const place = owner === namespace ? '' : ` of namespace ${owner}`;
    if (provider === 'NotPermitted') {
      return refuse('RefNotPermitted', 'namespace', `ModelProvider "${providerRef.name}"${place} is not shared with namespace ${namespace}: its owner can allow that in spec.allowedNamespaces`);
    }
    if (provider.entry === null) {
      const [why] = provider.findings.filter(({ severity }) => severity === 'Error');
      const reason = why === undefined ? '' : ` (${why.path}: ${why.message})`;
      return refuse('ProviderNotAccepted', 'name', `ModelProvider "${providerRef.name}"${place} cannot be used${reason}`);
    }
    return [{ index, name: target, model, suspended: suspend ?? false, provider }];
  });
}

/** Refuses what leaves the cluster; what stays is still listed, for a sidecar that serves a last good form of the chain. */
export function withoutOutsiders(targets: readonly ResolvedTarget[], findings: Finding[]): readonly ResolvedTarget[] {
  return targets.filter(({ index, name, provider }) => {
    if (provider.entry?.inCluster === true) return true;
    const message = `target ${name} leaves the cluster: provider ${provider.name} is at ${provider.origin ?? 'an unknown address'}, which egress: ClusterOnly forbids. Remove the target, or set egress: Any`;
    findings.push(errorFinding('Accepted', 'EgressForbidden', `spec.targets[${index}]`, message));
    return false;
  });
}
