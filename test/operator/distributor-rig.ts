import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ChainReport } from '@belay/contract';
import type { SidecarIdentity } from '@belay/operator/core/distribute/connection.ts';
import { compileNamespace } from '@belay/operator/core/compile/compile-namespace.ts';
import { requiredKeys } from '@belay/operator/core/compile/required-keys.ts';
import type { CompileTools, Manifest, SecretFact, Snapshot } from '@belay/operator/core/compile/snapshot.ts';
import { createAuthority, type Authority } from '@belay/operator/shell/certificates/authority.ts';
import { createDistributor, type Distributor, type DistributorLimits } from '@belay/operator/shell/distributor/create-distributor.ts';
import { createHttpsClient } from '@belay/operator/shell/kube/https-client.ts';
import type { KubeClient } from '@belay/operator/shell/kube/kube-client.ts';
import type { LogLine } from '@belay/operator/shell/log.ts';
import { keysOf } from '@belay/operator/shell/watch/keys.ts';
import { createNamedObjects, type NamedObjects } from '@belay/operator/shell/watch/named-objects.ts';
import { startApiServer, type ApiServer } from '../../scripts/kubernetes/with-api-server.ts';
import { realClock as clock } from '../kube/real-clock.ts';
import { allow, makeNamespace, makeServiceAccount, requestToken } from './pods-and-tokens.ts';

/** Resources of one namespace, and what is known of their Secrets when they were compiled last. */
export interface MadeNamespace {
  providers: readonly Manifest[];
  chains: readonly Manifest[];
  foreign: readonly (Manifest & { readonly namespace: string })[];
  facts: readonly SecretFact[];
}

export interface DistributorRig {
  readonly server: ApiServer;
  /** With every right. */
  readonly client: KubeClient;
  readonly distributor: Distributor;
  readonly port: number;
  readonly authority: Authority;
  readonly secrets: NamedObjects;
  readonly lines: LogLine[];
  readonly gone: SidecarIdentity[];
  /** The newest of each pod, by its uid. */
  readonly reports: Map<string, readonly ChainReport[]>;
  /** As a distributor that is killed: every connection breaks. */
  stop(): Promise<void>;
  /** A new one at the same port, which knows of nobody. */
  startAgain(): Promise<void>;
  /** Compiles and publishes from now on, and whenever a Secret changes. */
  serve(namespace: string, made: Partial<MadeNamespace>): MadeNamespace;
  close(): Promise<void>;
}

const tools: CompileTools = {
  sha256Hex: (text) => createHash('sha256').update(text).digest('hex'),
  parseURL: (text) => (URL.canParse(text) ? new URL(text) : null),
};

export const provider = (name: string, more: object = {}): Manifest => ({ metadata: { name }, spec: { dialect: 'OpenAI', baseURL: `https://${name}.example/v1`, credentials: { secretKeyRef: { name, key: 'apiKey' } }, ...more } });
export const chain = (name: string, ...targets: readonly { readonly name: string; readonly namespace?: string }[]): Manifest => ({ metadata: { name }, spec: { modelNames: [name], targets: targets.map((providerRef) => ({ providerRef, model: 'm' })) } });

/**
 * A distributor before a real API server, with the rights of a service account of its own: token reviews, and Secrets as `secretRules` say. Manifests
 * are compiled from memory, as a controller would from its caches.
 */
export async function startDistributor(secretRules: readonly { readonly namespace: string; readonly names: readonly string[] }[], limits: Partial<DistributorLimits> = {}): Promise<DistributorRig> {
  const server = await startApiServer();
  const to = { server: server.url, ca: readFileSync(server.caFile, 'utf8'), clock };
  const client = createHttpsClient({ ...to, token: () => server.token });
  await makeNamespace(client, 'belay-system');
  await makeServiceAccount(client, 'belay-system', 'belay');
  const account = { namespace: 'belay-system', name: 'belay' };
  await allow(client, account, 'belay', { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] });
  for (const namespace of new Set(['shop', 'bank', ...secretRules.map((rule) => rule.namespace)])) await makeNamespace(client, namespace);
  for (const { namespace, names } of secretRules) await allow(client, account, 'belay', { apiGroups: [''], resources: ['secrets'], resourceNames: names, verbs: ['get', 'list', 'watch'] }, namespace);
  const own = await requestToken(client, { namespace: 'belay-system', account: 'belay', audiences: ['https://kubernetes.default.svc'] });
  const limited = createHttpsClient({ ...to, token: () => own });

  const lines: LogLine[] = [];
  const gone: SidecarIdentity[] = [];
  const log = (line: LogLine): void => void lines.push(line);
  const authority = createAuthority({ client, clock, wallClock: Date.now, random: Math.random, log, namespace: 'belay-system', dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'], settleMs: 50 });
  await authority.ready;
  const namespaces = new Map<string, MadeNamespace>();
  const reports: DistributorRig['reports'] = new Map();
  const make = (): Distributor => createDistributor({
    client: limited, clock, wallClock: Date.now, random: Math.random, log, authority, limits,
    onReport: ({ uid }, chains) => reports.set(uid, chains), onGone: (identity) => gone.push(identity), onNamespaceWanted: (namespace) => publish(namespace),
  });
  let distributor = make();
  const secrets = createNamedObjects({
    client: limited, clock, random: Math.random, resource: { group: '', version: 'v1', plural: 'secrets' },
    onChange: () => [...namespaces.keys()].forEach(publish), onProblem: ({ message }) => log({ level: 'warn', event: 'watch-failed', message }),
  });
  const publish = (namespace: string): void => {
    const made = namespaces.get(namespace) ?? { providers: [], chains: [], foreign: [], facts: [] };
    const base: Snapshot = { namespace, namespaceLabels: {}, providers: made.providers, foreignProviders: made.foreign, chains: made.chains, configMaps: [], secrets: [], standalone: false, clusterDomain: 'cluster.local' };
    const { keys, secrets: facts } = keysOf(requiredKeys(base, tools), (key) => secrets.state(key.namespace, key.secretName));
    made.facts = facts;
    distributor.publish(namespace, { tables: [compileNamespace({ ...base, secrets: facts }, tools).table], keys, endpoints: [], hints: [] });
  };
  const port = await distributor.listen('127.0.0.1', 0);
  distributor.synced();
  return {
    server, client, port, authority, secrets, lines, gone, reports,
    get distributor() { return distributor; },
    async stop() { await distributor.close(); },
    async startAgain() {
      distributor = make();
      await distributor.listen('127.0.0.1', port);
      distributor.synced();
    },
    serve(namespace, made) {
      const all = { providers: [], chains: [], foreign: [], facts: [], ...namespaces.get(namespace), ...made };
      namespaces.set(namespace, all);
      const wanted = [...namespaces].flatMap(([owner, { providers, foreign }]) => [...providers.map((one) => ({ ...one, namespace: owner })), ...foreign]);
      for (const owner of new Set(wanted.map((one) => one.namespace))) {
        secrets.require(owner, new Set(wanted.flatMap((one) => (one.namespace === owner ? ((one.spec as { credentials?: { secretKeyRef: { name: string } } }).credentials?.secretKeyRef.name ?? []) : []))));
      }
      publish(namespace);
      return all;
    },
    async close() {
      await distributor.close();
      await Promise.all([secrets.close(), authority.close()]);
      client.close();
      limited.close();
      await server.close();
    },
  };
}
