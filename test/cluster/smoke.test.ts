// What every cluster must do before Belay is put on it, whichever driver opened it.
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { imageNames } from '../../scripts/images/images.ts';
import { buildPauseImage } from '../../scripts/images/pause-image.ts';
import { writeArchive } from '../../scripts/images/write-archive.ts';
import { connectCluster } from './drivers/connect-cluster.ts';
import type { Cluster } from './drivers/cluster.ts';

const namespace = `smoke-${randomBytes(4).toString('hex')}`;
let cluster: Cluster;
const kubectl = (...args: readonly string[]): Promise<string> => cluster.kubectl(['--namespace', namespace, ...args]);

beforeAll(async () => {
  cluster = await connectCluster();
  await cluster.kubectl(['create', 'namespace', namespace]);
  // Pods are refused until the controllers have made it.
  await kubectl('wait', '--for=create', 'serviceaccount/default', '--timeout=60s');
}, 90_000);

afterAll(async () => {
  await cluster?.kubectl(['delete', 'namespace', namespace, '--wait=false']);
});

test('its node is ready', async () => {
  const ready = '{.items[*].status.conditions[?(@.type=="Ready")].status}';
  expect(await cluster.kubectl(['get', 'nodes', '--output', `jsonpath=${ready}`])).toMatch(/^True/);
});

test("a pod of Belay's image runs its Node, as nobody, on a read-only root file system", async () => {
  const look = 'console.log(process.version, process.getuid()); try { fs.writeFileSync("/x", "") } catch (error) { console.log(error.code) }';
  await run('version', imageNames.belay, { args: ['-e', look], restartPolicy: 'Never', securityContext: { readOnlyRootFilesystem: true, runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } } });
  await kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/version', '--timeout=60s');
  expect(await kubectl('logs', 'version')).toBe(`${process.version} 65532\nEROFS\n`);
}, 90_000);

test('a pod finds another by the name of its Service', async () => {
  await run('provider', imageNames['stand-in'], { args: ['/app/stand-in.mjs'], env: [{ name: 'STAND_IN_NAME', value: 'provider' }] });
  await kubectl('expose', 'pod', 'provider', '--port=8080');
  await run('application', imageNames.application, {
    args: ['/app/application.mjs'],
    env: [{ name: 'OPENAI_BASE_URL', value: `http://provider.${namespace}.svc:8080/v1` }, { name: 'OPENAI_API_KEY', value: 'none' }],
  });
  await kubectl('wait', '--for=condition=Ready', 'pod/provider', 'pod/application', '--timeout=60s');
  const answer = await kubectl('exec', 'application', '--', '/nodejs/bin/node', '/app/application.mjs', 'ask', 'Who is there?');
  expect(JSON.parse(answer)).toMatchObject({ status: 200, text: 'This is provider.' });
}, 90_000);

test('an image of an archive is there when it is loaded', async () => {
  const archive = join(tmpdir(), `belay-${namespace}.tar`);
  const name = `belay.dev/${namespace}:1`;
  try {
    writeArchive(archive, [{ ...(await buildPauseImage(() => {})), name }]);
    await cluster.loadImages(archive);
  } finally {
    rmSync(archive, { force: true });
  }
  await run('loaded', name, {});
  await kubectl('wait', '--for=condition=Ready', 'pod/loaded', '--timeout=60s');
}, 90_000);

test('helm reaches it', async () => {
  expect(JSON.parse(await cluster.helm(['list', '--namespace', namespace, '--output', 'json']))).toEqual([]);
});

async function run(name: string, image: string, { restartPolicy = 'Always', ...container }: { readonly restartPolicy?: string; readonly [field: string]: unknown }): Promise<void> {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec: { restartPolicy, terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image, imagePullPolicy: 'IfNotPresent', ...container }] } };
  await cluster.kubectl(['apply', '--namespace', namespace, '--filename', '-'], { input: JSON.stringify(pod) });
}
