import { expect, test } from '@jest/globals';
import { parsed, refused, type ChainEntry, type EndpointEntry, type RoutingTable } from '@belay/contract';
import type { LogLine, Sidecar } from '@belay/sidecar/shell/sidecar-options.ts';
import type { LocalModel } from '../local-tier/local-model.ts';
import type { Configuration, LoadedConfiguration } from './configuration.ts';
import { parseRunOptions, type RawRunOptions } from './run-options.ts';
import { serve } from './serve.ts';

const chain: ChainEntry = {
  name: 'chat', modelNames: ['chat', 'gpt-4o'], fallbackMode: 'Sequential', latencyBudgetMs: null, deadlineMs: 600_000, retries: 1, egress: 'Any',
  targets: [{ name: 'openai', provider: 'openai', model: 'gpt-4o', tier: 'Primary', contextTokens: null, suspended: false }],
  race: { prefer: 'Primary', hedgeDelayMs: null, extraRequests: 0.05 }, rateLimitWaitUpToMs: 2_000, unroutable: null,
};
const tableOf = (version: string, chains: readonly ChainEntry[]): RoutingTable => ({ schemaVersion: 1, version, namespace: 'support', providers: [], chains });
const configurationOf = (version: string, over: Partial<Configuration> & { readonly chains?: readonly ChainEntry[] } = {}): Configuration => ({
  table: tableOf(version, over.chains ?? [chain]), keys: [], localModels: over.localModels ?? [], warnings: over.warnings ?? [],
});

function fakeWorld(first: LoadedConfiguration, raw: RawRunOptions = { file: ['manifests'], watch: true }) {
  const world = {
    loads: [first] as LoadedConfiguration[], logged: [] as LogLine[], tables: [] as string[], models: [] as (readonly LocalModel[])[],
    endpoints: [] as (readonly EndpointEntry[])[], closed: [] as string[], change: async (): Promise<void> => {}, listenError: null as Error | null, refuse: null as string | null,
  };
  const options = parseRunOptions(raw, {});
  if (!options.ok) throw new Error('test options');
  const sidecar: Sidecar = {
    listen: () => (world.listenError === null ? Promise.resolve({ port: 7411, adminPort: 7412 }) : Promise.reject(world.listenError)),
    applyTable(table) {
      if (world.refuse !== null) return refused('', world.refuse);
      world.tables.push((table as RoutingTable).version);
      return parsed({ version: (table as RoutingTable).version });
    },
    applyKeys() {},
    applyEndpoints: (endpoints) => { world.endpoints.push(endpoints); },
    report: () => [],
    close: (graceMs) => { world.closed.push(`sidecar ${graceMs}`); return Promise.resolve(); },
  };
  const serving = serve(options.value, {
    log: (line) => world.logged.push(line),
    load: () => Promise.resolve(world.loads.length > 1 ? world.loads.shift()! : world.loads[0]!),
    createSidecar: () => sidecar,
    createLocalTier: ({ onEndpoints }) => ({
      apply(models) { world.models.push(models); onEndpoints(models.map(({ name }) => ({ name, state: 'Loading', url: null }))); },
      close: () => { world.closed.push('local tier'); return Promise.resolve(); },
    }),
    watch(onChange) {
      world.change = async () => { onChange(); for (let turn = 0; turn < 10; turn++) await Promise.resolve(); };
      return { close: () => { world.closed.push('watcher'); } };
    },
  });
  return { world, serving };
}

const messages = (logged: readonly LogLine[]): readonly string[] => logged.map(({ message }) => message);

test('serves the table, its local models and their endpoints, and ends requests before local servers', async () => {
  const local: LocalModel = { name: 'on-cluster', path: 'm.gguf', contextTokens: 4096, parallel: 2 };
  const { world, serving } = fakeWorld({ ok: true, value: configurationOf('sha256:1', { localModels: [local] }) });
  const served = await serving;
  expect(served).toMatchObject({ port: 7411, adminPort: 7412 });
  expect(world).toMatchObject({ tables: ['sha256:1'], models: [[local]], endpoints: [[{ name: 'on-cluster' }]] });
  if (!('close' in served)) throw new Error('not served');
  await served.close(30_000);
  expect(world.closed).toEqual(['watcher', 'sidecar 30000', 'local tier']);
});

test('a changed manifest is served; a bad one is said and the good one stays; a later good one is served again', async () => {
  const { world, serving } = fakeWorld({ ok: true, value: configurationOf('sha256:1') });
  await serving;
  world.loads = [{ ok: true, value: configurationOf('sha256:2') }];
  await world.change();
  expect(world.tables).toEqual(['sha256:1', 'sha256:2']);
  world.loads = [{ ok: false, problems: ['chain.yaml:7:3: error: spec.targets: Required value'] }];
  await world.change();
  expect(world.tables).toEqual(['sha256:1', 'sha256:2']);
  expect(messages(world.logged).slice(-2)).toEqual(['the changed manifests have a problem; what was served before is served on', 'chain.yaml:7:3: error: spec.targets: Required value']);
  world.loads = [{ ok: true, value: configurationOf('sha256:3') }];
  await world.change();
  expect(world.tables.at(-1)).toBe('sha256:3');
});

test('a table that the sidecar refuses on a change is said and takes no local model with it', async () => {
  const { world, serving } = fakeWorld({ ok: true, value: configurationOf('sha256:1') });
  await serving;
  world.refuse = 'schemaVersion must be 1';
  world.loads = [{ ok: true, value: configurationOf('sha256:2') }];
  await world.change();
  expect(messages(world.logged).at(-1)).toBe('schemaVersion must be 1');
  expect(world.models).toHaveLength(1);
});

test.each<[string, LoadedConfiguration, RawRunOptions, string]>([
  ['problems of the manifests', { ok: false, problems: ['chain.yaml:1:1: error: no'] }, {}, 'chain.yaml:1:1: error: no'],
  ['no chain', { ok: true, value: configurationOf('v', { chains: [] }) }, {}, 'namespace support has no FallbackChain'],
  ['no chain that can be served', { ok: true, value: configurationOf('v', { chains: [{ ...chain, unroutable: 'no target resolves' }] }) }, {}, 'chain chat cannot be served: no target resolves'],
  ['a fault on no target', { ok: true, value: configurationOf('v') }, { fault: ['opus=500'] }, '--fault: no chain has a target opus; the targets are openai'],
  ['local models alone and no --model-dir', { ok: true, value: configurationOf('v', { localModels: [{ name: 'openai', path: 'm.gguf', contextTokens: 1, parallel: 1 }] }) }, {}, 'say with --model-dir DIR'],
])('%s: nothing is served, and it is said why', async (_sentence, loaded, raw, message) => {
  const { world, serving } = fakeWorld(loaded, { file: ['manifests'], ...raw });
  expect(await serving).toEqual({ problems: [expect.stringContaining(message)] });
  expect(world.tables).toEqual([]);
});

test.each<[string, object, string]>([
  ['EADDRINUSE', { code: 'EADDRINUSE', port: 7411 }, 'port 7411 is in use: choose another with --port, or --port 0 for any free one'],
  ['EADDRINUSE on the admin port', { code: 'EADDRINUSE', port: 7412 }, 'port 7412 is in use: choose another with --admin-port'],
  ['EACCES', { code: 'EACCES', port: 7411 }, 'port 7411 may not be opened by this user'],
  ['EADDRNOTAVAIL', { code: 'EADDRNOTAVAIL' }, 'this machine has no address 127.0.0.1'],
])('%s while listening ends what was started and names the flag', async (_sentence, fields, message) => {
  const { world, serving } = fakeWorld({ ok: true, value: configurationOf('v') });
  world.listenError = new Error('cannot listen', { cause: Object.assign(new Error('listen'), fields) });
  expect(await serving).toEqual({ problems: [expect.stringContaining(message)] });
  expect(world.closed).toEqual(['local tier']);
});

test('says loudly that faults are on', async () => {
  const { world, serving } = fakeWorld({ ok: true, value: configurationOf('v') }, { file: ['m'], fault: ['openai=500@50%'] });
  await serving;
  expect(world.logged).toEqual([expect.objectContaining({ level: 'warn', event: 'faults-enabled', message: 'FAULTS ARE ON, requests will fail on purpose: openai answers 500 in 50% of attempts' })]);
});
