import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { canonicalJson } from '@belay/contract';
import { loadConfiguration } from '@belay/cli/run/load-configuration.ts';
import { runTool } from '../chart/run-tool.ts';
import { startCluster, type Cluster, type ConfigMap } from './cluster.ts';
import { probe, startOperator, type OperatorProcess } from './operator-process.ts';
import { until } from './until.ts';

const examples = join(import.meta.dirname, '../../examples');
const folders = readdirSync(examples, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();

let cluster: Cluster;
let operator: OperatorProcess;

beforeAll(async () => {
  cluster = await startCluster();
  operator = await startOperator({ kubeconfig: cluster.server.kubeconfig });
  await until(async () => (await probe(operator, '/ready')).status === 200, 20_000);
}, 900_000);

afterAll(async () => {
  await operator.close();
  await cluster.close();
});

/** The table that the command line makes of the files, byte for byte as it would travel. */
async function tableOfFiles(folder: string, namespace: string): Promise<string> {
  const loaded = await loadConfiguration({ paths: [join(examples, folder)], starter: null, namespace }, {});
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return canonicalJson(loaded.value.table);
}

async function tableOfCluster(namespace: string): Promise<string> {
  return (await cluster.get<ConfigMap>('ConfigMap', namespace, 'belay-bootstrap'))?.data?.['table.json'] ?? '';
}

test('there are examples to compare', () => {
  expect(folders.length).toBeGreaterThanOrEqual(3);
});

test.each(folders)('examples/%s gives the operator, through kubectl, the same bytes as belay run from its files', async (folder) => {
  const namespace = `example-${folder}`;
  await cluster.apply('Namespace', null, namespace);
  const applied = await runTool('kubectl', ['apply', '-n', namespace, '-f', join(examples, folder)], { kubeconfig: cluster.server.kubeconfig });
  expect(applied).toMatchObject({ code: 0, stderr: '' });
  const wanted = await tableOfFiles(folder, namespace);
  await until(async () => (await tableOfCluster(namespace)) === wanted, 5_000).catch(() => undefined);
  expect(await tableOfCluster(namespace)).toBe(wanted);
});
