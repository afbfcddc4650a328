// The program of a private machine that holds one process; argument `broken` in its settings: one that ends at once.
import { readMachineSettings, type MachineSettings } from '../../scripts/machine/machine-settings.ts';
import { makePrivateMachine } from '../../scripts/machine/private-machine.ts';
import { runServers } from '../../scripts/machine/run-servers.ts';

const folder = process.argv[2] ?? '';
const { broken } = readMachineSettings<MachineSettings & { readonly broken: boolean }>(folder);

await runServers(folder, 20_000, async ({ start, eventually, step }) => {
  makePrivateMachine(folder, '127.0.0.1');
  start({ name: 'server', command: 'sh', args: ['-c', broken ? 'echo out of order; exit 7' : 'echo serving; exec sleep 1000'] });
  await eventually('nothing', () => Promise.resolve(!broken));
  step('it serves');
});
