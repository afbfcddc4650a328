// Runs a container engine, as the first program of its private machine.
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { readMachineSettings } from '../machine/machine-settings.ts';
import { makePrivateMachine } from '../machine/private-machine.ts';
import { runServers } from '../machine/run-servers.ts';
import { engineSocket } from './engine-socket.ts';

const folder = process.argv[2] ?? '';
const { name } = readMachineSettings(folder);
const socket = engineSocket(folder);

await runServers(folder, 60_000, async ({ start, eventually, step }) => {
  makePrivateMachine(folder, '127.0.0.1');
  start({ name: 'dockerd', command: 'dockerd', args: [
    `--data-root=${join(folder, 'data')}`, `--exec-root=${join(folder, 'exec')}`, `--pidfile=${join(folder, 'docker.pid')}`, `--host=unix://${socket}`,
    `--cgroup-parent=/${name}`, '--exec-opt=native.cgroupdriver=cgroupfs', '--log-level=warn',
  ] });
  await eventually('the container engine', answers);
  step('container engine ready');
});

function answers(): Promise<boolean> {
  if (!existsSync(socket)) return Promise.resolve(false);
  return new Promise((resolve) => {
    request({ socketPath: socket, path: '/_ping' }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    }).once('error', () => resolve(false)).end();
  });
}
