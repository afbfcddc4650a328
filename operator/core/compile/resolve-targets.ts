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

/** Targets whose provider exists and can be used; each other one becomes a finding. */
export function resolveTargets(spec: FallbackChainSpec, providers: ReadonlyMap<string, CompiledProvider>, namespace: string, findings: Finding[]): readonly ResolvedTarget[] {
  return spec.targets.flatMap(({ name, providerRef, model, suspend }, index) => {
    const provider = providers.get(providerRef.name);
    const target = name ?? providerRef.name;
    const path = `spec.targets[${index}].providerRef.name`;
    if (provider === undefined) {
      findings.push(errorFinding('ResolvedRefs', 'ProviderNotFound', path, `target ${target}: there is no ModelProvider "${providerRef.name}" in namespace ${namespace}`));
      return [];
    }
    if (provider.entry === null) {
      const [why] = provider.findings.filter(({ severity }) => severity === 'Error');
      const reason = why === undefined ? '' : ` (${why.path}: ${why.message})`;
      findings.push(errorFinding('ResolvedRefs', 'ProviderNotAccepted', path, `target ${target}: ModelProvider "${providerRef.name}" cannot be used${reason}`));
      return [];
    }
    return [{ index, name: target, model, suspended: suspend, provider }];
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
