// `npm run cluster [-- [--driver node|kind|kubeconfig] [--images ARCHIVE] [-- COMMAND ARGUMENT…]]`: a cluster with all
// images in it, or those of an archive. Runs the command where the cluster is reached and ends with it; without one, the
// cluster stays until Ctrl-C.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import type { Cluster } from '../test/cluster/drivers/cluster.ts';
import { chooseDriver, isDriver, openCluster, variablesOf } from '../test/cluster/drivers/open-cluster.ts';
import { stayUp } from './cluster/stay-up.ts';
import { allImages } from './images/ensure-images.ts';
import { spawnInside } from './machine/enter-machine.ts';
import { MissingPart, missingPartExitCode } from './missing-part.ts';
import { runNode } from './run-command.ts';

const { values: { driver = chooseDriver(), images }, positionals } = parseArgs({ options: { driver: { type: 'string' }, images: { type: 'string' } }, allowPositionals: true });
if (!isDriver(driver)) {
  console.error(`There is no driver ${driver}: node, kind and kubeconfig are the drivers.`);
  process.exit(2);
}
try {
  if (images === undefined) await setUpImages();
  const cluster = await openCluster(driver, { images: [images ?? allImages], log: console.error });
  try {
    process.exitCode = await use(cluster, positionals);
  } finally {
    await cluster.close();
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = error instanceof MissingPart ? missingPartExitCode : 1;
}

async function setUpImages(): Promise<void> {
  const { code } = await runNode(['scripts/setup.ts', 'images'], { onLine: (line) => console.error(line) });
  if (code !== 0) process.exit(code ?? 1);
}

/** Exit code of the command. */
async function use(cluster: Cluster, [command, ...args]: readonly string[]): Promise<number> {
  if (command === undefined) {
    await stayUp(cluster);
    return 0;
  }
  const [env, { inside }] = [variablesOf(cluster), cluster];
  const child = inside === null ? spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } }) : spawnInside(inside, command, args, { stdio: 'inherit', env });
  const [code] = await once(child, 'exit') as [number | null];
  return code ?? 1;
}
