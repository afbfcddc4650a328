import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import type { ProviderEntry } from '@belay/contract';
import { guardedLookup } from './address-guard.ts';
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

/** All pools of a sidecar; a pool lives over table swaps for as long as its origin and CAs stay. */
export interface ConnectionPools {
  poolFor(url: URL, provider: ProviderEntry): ConnectionPool;
  /** Closes the idle connections of pools that none of these providers uses, and forgets them. */
  retain(providers: readonly ProviderEntry[]): void;
  close(): void;
}

/** `proxyEnvironment`: HTTPS_PROXY, HTTP_PROXY and NO_PROXY as the process has them; loopback is never proxied. */
export function createConnectionPools(proxyEnvironment: NodeJS.ProcessEnv): ConnectionPools {
  const pools = new Map<string, ConnectionPool & { readonly trust: string }>();
  return {
    poolFor(url, provider) {
      const trust = provider.caCertificates.join('\n');
      const key = `${url.origin}\n${trust}`;
      const known = pools.get(key);
      if (known !== undefined) return known;
      const pool = { ...createPool(url, provider.caCertificates, proxyEnvironment), trust };
      pools.set(key, pool);
      return pool;
    },
    retain(providers) {
      const trusts = new Set(providers.map(({ caCertificates }) => caCertificates.join('\n')));
      const origins = new Set(providers.map(({ address }) => (address.startsWith('local:') ? '' : new URL(address).origin)));
      for (const [key, pool] of pools) {
        const origin = key.slice(0, key.indexOf('\n'));
        if (isLoopbackHost(new URL(origin).host) || (origins.has(origin) && trusts.has(pool.trust))) continue;
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

function createPool(url: URL, caCertificates: readonly string[], proxyEnvironment: NodeJS.ProcessEnv): ConnectionPool {
  const options: http.AgentOptions = {
    keepAlive: true, keepAliveMsecs: tcpKeepAliveMs, scheduling: 'lifo', timeout: idleConnectionMs, lookup: guardedLookup,
    ...(isLoopbackHost(url.host) ? {} : { proxyEnv: proxyEnvironment }),
  };
  const agent = url.protocol === 'https:' ? new https.Agent({ ...options, ...trusting(caCertificates) }) : new http.Agent(options);
  return {
    agent,
    request: url.protocol === 'https:' ? https.request : http.request,
    closeIdle() {
      for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
    },
  };
}

/** The system's roots and these beside them; Node's `ca` alone would replace the roots. */
function trusting(caCertificates: readonly string[]): { secureContext?: tls.SecureContext } {
  if (caCertificates.length === 0) return {};
  return { secureContext: tls.createSecureContext({ ca: [...tls.getCACertificates('default'), ...caCertificates] }) };
}
