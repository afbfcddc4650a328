// The distributor that bench/distributor.ts measures, in a process of its own. Its tokens are reviewed in this process: the API server's share of a
// connection is not measured. Says its port; each message publishes the namespace anew.
import { Secret } from '@belay/contract';
import type { KubeClient } from '@belay/operator/shell/kube/kube-client.ts';
import { createDistributor } from '@belay/operator/shell/distributor/create-distributor.ts';
import { systemClock, systemRandom, systemWallClock } from '@belay/operator/shell/system-clock.ts';
import { chainEntry, providerEntry, routingTable, targetEntry } from '../test/support/made-up-table.ts';
import { testCertificate, testKey } from '../test/support/test-certificates.ts';

const names = Array.from({ length: 6 }, (_, n) => `provider-${n}`);
const providers = names.map((name) => providerEntry(name, { needsKey: true }));
const refuse = (): Promise<never> => Promise.reject(new Error('the bench asks for token reviews alone'));
const client: KubeClient = {
  list: refuse, watch: refuse, get: refuse, replace: refuse, patch: refuse, apply: refuse, delete: refuse,
  create: async (_place, body) => {
    const pod = (body as { readonly spec: { readonly token: string } }).spec.token.split('.')[1] ?? '';
    const extra = { 'authentication.kubernetes.io/pod-name': [pod], 'authentication.kubernetes.io/pod-uid': [`uid-${pod}`] };
    return { metadata: { name: '' }, status: { authenticated: true, audiences: ['belay.dev'], user: { username: 'system:serviceaccount:shop:default', groups: ['system:serviceaccounts'], extra } } } as never;
  },
};
const distributor = createDistributor({
  client, clock: systemClock, wallClock: systemWallClock, random: systemRandom, log: () => undefined,
  authority: { leaf: () => ({ cert: testCertificate, key: testKey }), onChange: () => () => undefined },
  onReport: () => undefined, onGone: () => undefined, onNamespaceWanted: () => undefined,
  limits: { acceptsPerSecond: Number(process.argv[2] ?? 200) },
});
let published = 0;

function publish(): void {
  published += 1;
  const chains = Array.from({ length: 10 }, (_, n) => chainEntry(`chain-${n}`, names.slice(0, 5).map((name) => targetEntry(name)), { deadlineMs: published }));
  distributor.publish('shop', {
    tables: [routingTable(chains, providers, { version: `sha256:${published}` })],
    keys: names.map((provider) => ({ provider, origin: `https://${provider}.example`, secret: new Secret(`sk-${provider}`), version: '1' })), endpoints: [], hints: [],
  });
}

distributor.synced();
publish();
process.on('message', publish);
process.once('disconnect', () => process.exit(0));
process.send?.({ port: await distributor.listen('127.0.0.1', 0) });
