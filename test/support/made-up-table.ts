import type { ChainEntry, ProviderEntry, RoutingTable, TargetEntry } from '@belay/contract';

export function providerEntry(name: string, more: Partial<ProviderEntry> = {}): ProviderEntry {
  return {
    name,
    preset: null,
    dialect: 'OpenAI',
    address: `https://${name}.example/v1`,
    inCluster: false,
    allowInsecureHTTP: false,
    needsKey: false,
    suspended: false,
    failureDomain: name,
    cancellation: 'Unknown',
    timeouts: { connectMs: null, firstContentMs: null, idleMs: null },
    headers: [],
    caCertificates: [],
    concurrency: null,
    ...more,
  };
}

/** A target of that name at the provider of that name. */
export function targetEntry(name: string, more: Partial<TargetEntry> = {}): TargetEntry {
  return { name, provider: name, model: `model-of-${name}`, tier: 'InterProvider', contextTokens: null, suspended: false, ...more };
}

export function chainEntry(name: string, targets: readonly TargetEntry[], more: Partial<ChainEntry> = {}): ChainEntry {
  return {
    name,
    modelNames: [name],
    fallbackMode: 'Sequential',
    latencyBudgetMs: null,
    deadlineMs: 600_000,
    retries: 1,
    egress: 'Any',
    targets,
    race: { prefer: 'Primary', hedgeDelayMs: null, extraRequests: 0.05 },
    rateLimitWaitUpToMs: 0,
    unroutable: null,
    ...more,
  };
}

export function routingTable(chains: readonly ChainEntry[], providers: readonly ProviderEntry[], more: Partial<RoutingTable> = {}): RoutingTable {
  return { schemaVersion: 1, version: 'sha256:1', namespace: 'support', providers, chains, ...more };
}
