// `node scripts/cluster/in-cluster.ts FOLDER COMMAND [ARGUMENT…]`: runs a command inside the namespaces of a node cluster
// (or of a container engine of scripts/docker), where its pods and Services are reached, with its own variables.
import { resolve } from 'node:path';
import { spawnInside } from '../machine/enter-machine.ts';

const [folder, command, ...args] = process.argv.slice(2);
if (folder === undefined || command === undefined) {
  console.error('Give the folder of a cluster and the command to run in it.');
  process.exit(2);
}
try {
  const child = spawnInside(resolve(folder), command, args, { stdio: 'inherit' });
  child.once('error', (error) => fail(error.message));
  child.once('exit', (code) => process.exit(code ?? 1));
} catch (error) {
  fail((error as Error).message);
}

function fail(why: string): void {
  console.error(why);
  process.exit(127);
}
