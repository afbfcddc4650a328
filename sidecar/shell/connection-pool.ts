import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import type { ProviderEntry } from '@belay/contract';
import { guardedLookup, isServiceHost } from './address-guard.ts';
import { isLoopbackHost } from './web-guard.ts';

/** Idle connections are closed after this; TCP keep-alive probes run from 15 s on. */
const idleConnectionMs = 300_000;
const tcpKeepAliveMs = 15_000;

/** Warm connections to one origin, trusted by one set of CAs. */
export interface ConnectionPool {
  readonly request: typeof http.request;
  readonly agent: http.Agent;
  /** Closes idle connections: after one of them proved stale, or when no table uses the origin any more. */
  closeIdle(): void;
}

/** Where a provider answers now. */
export interface Destination {
  readonly url: URL;
  readonly provider: ProviderEntry;
}

/** All pools of a sidecar; a pool lives over table swaps for as long as its origin and CAs stay. */
export interface ConnectionPools {
  poolFor(url: URL, provider: ProviderEntry): ConnectionPool;
  /** Closes the idle connections of all pools but those of these destinations, and forgets them. Reads the system's roots where one of these needs them. */
  retain(destinations: readonly Destination[]): void;
  close(): void;
}

/** `proxyEnvironment`: HTTPS_PROXY, HTTP_PROXY and NO_PROXY as the process has them; loopback and the cluster's Services, whose names no proxy outside knows, are never proxied. */
export function createConnectionPools(proxyEnvironment: NodeJS.ProcessEnv): ConnectionPools {
  const pools = new Map<string, ConnectionPool>();
  let roots: tls.SecureContext | null = null;
  /** One for all: Node would make another for every connection (2.5 ms). */
  const systemRoots = (): tls.SecureContext => (roots ??= tls.createSecureContext());
  const trust = (caCertificates: readonly string[]): tls.SecureContext => (caCertificates.length === 0 ? systemRoots() : trusting(caCertificates));
  return {
    poolFor(url, provider) {
      const key = poolKey({ url, provider });
      const known = pools.get(key);
      if (known !== undefined) return known;
      const isNear = isLoopbackHost(url.host) || (provider.inCluster && isServiceHost(url.hostname));
      const pool = createPool(url, () => trust(provider.caCertificates), isNear ? null : proxyEnvironment);
      pools.set(key, pool);
      return pool;
    },
    retain(destinations) {
      if (destinations.some(({ url, provider }) => url.protocol === 'https:' && provider.caCertificates.length === 0)) systemRoots();
      const wanted = new Set(destinations.map(poolKey));
      for (const [key, pool] of pools) {
        if (wanted.has(key)) continue;
        // What still runs here ends, and its connection is not kept.
        pool.agent.maxFreeSockets = 0;
        pool.closeIdle();
        pools.delete(key);
      }
    },
    close() {
      for (const { agent } of pools.values()) agent.destroy();
      pools.clear();
    },
  };
}

function poolKey({ url, provider }: Destination): string {
  return [url.origin, String(provider.inCluster), ...provider.caCertificates].join('\n');
}

function createPool(url: URL, trusted: () => tls.SecureContext, proxyEnvironment: NodeJS.ProcessEnv | null): ConnectionPool {
  const options: http.AgentOptions = {
    keepAlive: true, keepAliveMsecs: tcpKeepAliveMs, scheduling: 'lifo', timeout: idleConnectionMs, lookup: guardedLookup,
    ...(proxyEnvironment === null ? {} : { proxyEnv: proxyEnvironment }),
  };
  const agent = url.protocol === 'https:' ? new https.Agent({ ...options, secureContext: trusted() }) : new http.Agent(options);
  return {
    agent,
    request: url.protocol === 'https:' ? https.request : http.request,
    closeIdle() {
      for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
    },
  };
}

/** The system's roots and these beside them; Node's `ca` alone would replace the roots. */
function trusting(caCertificates: readonly string[]): tls.SecureContext {
  return tls.createSecureContext({ ca: [...tls.getCACertificates('default'), ...caCertificates] });
}
