// Belay's image in containers, without Kubernetes: a sidecar that starts from the bootstrap copy alone, an application
// that shares its network as in a pod, and a real llama.cpp server as the last target.
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { adminPort, applicationPort, encodeBootstrap, sidecarFiles } from '@belay/contract';
import { GenericContainer, Network, Wait, type StartedNetwork, type StartedTestContainer } from 'testcontainers';
import { allImages } from '../../scripts/images/ensure-images.ts';
import { imageNames } from '../../scripts/images/images.ts';
import { ensureLlama } from '../../scripts/llama/ensure-llama.ts';
import { chainEntry, providerEntry, routingTable, targetEntry } from '../support/made-up-table.ts';
import { LockedContainer } from './locked-container.ts';

const run = promisify(execFile);
const started: StartedTestContainer[] = [];
const memoryLimit = 256 * 1024 * 1024;
let folder = '';
let network: StartedNetwork;
let sidecar: StartedTestContainer;
let application: StartedTestContainer;

beforeAll(async () => {
  const llama = await ensureLlama();
  if ('missing' in llama) throw new Error(llama.missing);
  await run('docker', ['load', '--input', allImages]);
  network = await new Network().start();
  folder = bootstrapFolder();
  const model = new LockedContainer(imageNames.llama)
    .withNetwork(network).withNetworkAliases('llama').withUser('65532')
    .withBindMounts([{ source: llama.modelDir, target: '/models', mode: 'ro' }])
    .withCommand(['--model', `/models/${llama.modelFile}`, '--host', '0.0.0.0', '--port', '8080', '--ctx-size', '512', '--threads', '1'])
    .withExposedPorts(8080).withWaitStrategy(Wait.forHttp('/health', 8080));
  const first = new LockedContainer(imageNames['stand-in'])
    .withNetwork(network).withNetworkAliases('first').withCommand(['/app/stand-in.mjs'])
    .withEnvironment({ STAND_IN_SCRIPT: JSON.stringify([{ status: 503, json: { error: { message: 'out of service' } } }]) })
    .withExposedPorts(8081).withWaitStrategy(Wait.forHttp('/requests', 8081));
  const belay = new LockedContainer(imageNames.belay)
    .withNetwork(network).withCommand(['--max-semi-space-size=4', '/app/sidecar.mjs']).withEnvironment({
      BELAY_DISTRIBUTOR: 'nobody.invalid:7443', BELAY_CHAINS: '*', BELAY_POD_NAME: 'pod', BELAY_POD_UID: 'uid', BELAY_POD_NAMESPACE: 'support', BELAY_POD_IP: '0.0.0.0',
    })
    .withResourcesQuota({ memory: memoryLimit / 1024 ** 3 })
    .withBindMounts([{ source: folder, target: sidecarFiles.bootstrap, mode: 'ro' }])
    .withExposedPorts(adminPort).withWaitStrategy(Wait.forHttp('/ready', adminPort));
  const [, , ready] = await Promise.all([start(model), start(first), start(belay)]);
  sidecar = ready;
  application = await start(new GenericContainer(imageNames.application).withNetworkMode(`container:${sidecar.getId()}`)
    .withCommand(['/app/application.mjs']).withEnvironment({ OPENAI_BASE_URL: `http://127.0.0.1:${applicationPort}/v1`, OPENAI_API_KEY: 'belay' }));
}, 180_000);

afterAll(async () => {
  await Promise.all(started.toReversed().map((container) => container.stop({ timeout: 1_000 })));
  await network?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

describe("the sidecar's image", () => {
  test('answers from llama.cpp where the first target fails, with no operator', async () => {
    const { output } = await application.exec(['/nodejs/bin/node', '/app/application.mjs', 'ask', 'Say hello.']);
    const answer = JSON.parse(output) as { readonly text: string };
    expect(answer).toMatchObject({ status: 200, text: expect.stringMatching(/\S/), headers: { 'x-belay-target': 'local' } });
    expect(answer).not.toHaveProperty('error');
  }, 60_000);

  test('runs as nobody, can write nothing, and stays within its memory', async () => {
    const look = "let denied; try { require('fs').writeFileSync('/app/x', '') } catch (error) { denied = error.code } console.log(JSON.stringify([process.getuid(), denied]))";
    const { output } = await sidecar.exec(['/nodejs/bin/node', '--eval', look]);
    expect(JSON.parse(output)).toEqual([65532, 'EROFS']);
    const { stdout } = await run('docker', ['inspect', '--format', '{{json .HostConfig.Memory}} {{json .State}}', sidecar.getId()]);
    expect(stdout).toMatch(new RegExp(`^${memoryLimit} .*"OOMKilled":false`));
  });

  test('serves probes and metrics at the address of its pod', async () => {
    const pod = `http://${sidecar.getHost()}:${sidecar.getMappedPort(adminPort)}`;
    expect(await (await fetch(`${pod}/live`)).text()).toBe('live\n');
    expect(await (await fetch(`${pod}/metrics`)).text()).toMatch(/^belay_\w+\{.*target="local".*\} [1-9]/m);
  });
});

async function start(container: GenericContainer): Promise<StartedTestContainer> {
  const running = await container.start();
  started.push(running);
  return running;
}

/** The files of the ConfigMap, as the kubelet would mount them. */
function bootstrapFolder(): string {
  const first = providerEntry('first', { address: 'http://first:8080/v1', inCluster: true, allowInsecureHTTP: true });
  const local = providerEntry('llama', { address: 'local:llama', inCluster: true, cancellation: 'RunsOn' });
  const chain = chainEntry('chat', [targetEntry('first'), targetEntry('local', { provider: 'llama', tier: 'Local', contextTokens: 512 })]);
  const bootstrap = encodeBootstrap({ table: routingTable([chain], [first, local]), endpoints: [{ name: 'llama', state: 'Ready', url: 'http://llama:8080/v1' }], certificates: '' });
  if (!bootstrap.ok) throw new Error(JSON.stringify(bootstrap.problems));
  const path = mkdtempSync(join(tmpdir(), 'belay-bootstrap-'));
  chmodSync(path, 0o755);
  for (const [name, text] of Object.entries(bootstrap.value)) writeFileSync(join(path, name), text, { mode: 0o644 });
  return path;
}
