import type { ChainReport } from '@belay/contract';
import type { FallbackChainSpec } from '../resources/fallback-chain.ts';

/** A chain as its manifest names it and its targets. */
export interface ReportableChain {
  readonly metadata: { readonly name: string };
  readonly spec: Pick<FallbackChainSpec, 'targets'>;
}

/**
 * Of what a sidecar reports, what is about chains and targets that its namespace has: it may say what it likes, and what was made up would be
 * remembered for an hour. Each chain once.
 */
export function knownReports(reports: readonly ChainReport[], chains: readonly ReportableChain[]): readonly ChainReport[] {
  const byName = new Map(reports.map((report) => [report.name, report]));
  return chains.flatMap(({ metadata, spec }) => {
    const report = byName.get(metadata.name);
    if (report === undefined) return [];
    const names = new Set(spec.targets.map(({ name, providerRef }) => name ?? providerRef.name));
    return [{ ...report, targets: report.targets.filter((target) => names.delete(target.name)) }];
  });
}
