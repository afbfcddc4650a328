import { whyNoKind } from '../test/cluster/drivers/kind-driver.ts';
import { openCluster, variablesOf, type DriverName } from '../test/cluster/drivers/open-cluster.ts';
import { clusterVariables } from '../test/cluster/drivers/cluster.ts';
import { allImages } from './images/ensure-images.ts';
import { runNode, type CommandOptions } from './run-command.ts';
import { runJest, type NamedResult, type SuiteResult } from './run-jest.ts';
import type { SetupPart } from './setup-parts.ts';

const isGiven = process.env[clusterVariables.kubeconfig] !== undefined;

/** A cluster that is given needs only what is put on it. */
export const clusterNeeds: readonly SetupPart[] = isGiven ? ['images'] : ['kubernetes', 'cluster-tools', 'images'];

/**
 * Runs the cluster tests with every driver: on a given kubeconfig alone where there is one, else on the node that is
 * built here, there also as a given kubeconfig (what a cluster must do, for the rest would be the same again), and on
 * kind where it is installed. `obstacle`: why what they need cannot be had.
 */
export async function runClusterSuite(obstacle: string | null, log: (line: string) => void): Promise<readonly NamedResult[]> {
  if (isGiven) return [await runOn('kubeconfig', obstacle, log)];
  return [...(await runOnNode(obstacle, log)), await runOn('kind', whyNoKind() ?? obstacle, log)];
}

async function runOnNode(obstacle: string | null, log: (line: string) => void): Promise<readonly NamedResult[]> {
  if (obstacle !== null) return [{ name: 'cluster', outcome: obstacle }];
  const cluster = await openCluster('node', { images: [allImages], log });
  try {
    const where = { env: variablesOf(cluster), inside: cluster.inside ?? undefined };
    return [
      { name: 'cluster', outcome: await runJest('cluster', ['--runInBand'], where) },
      { name: 'cluster on a given kubeconfig', outcome: await runSmokeAsGiven(where) },
    ];
  } finally {
    await cluster.close();
  }
}

/** As somebody would who has a cluster already; counts as one test. */
async function runSmokeAsGiven(where: Pick<CommandOptions, 'env' | 'inside'>): Promise<SuiteResult> {
  const jest = [process.execPath, '--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--selectProjects', 'cluster', '--testPathPatterns', 'smoke'];
  const { code, output, seconds, ended } = await runNode(['scripts/cluster.ts', '--driver', 'kubeconfig', '--images', allImages, '--', ...jest], where);
  const good = code === 0 && ended === null;
  return { passed: good ? 1 : 0, failed: good ? 0 : 1, skipped: 0, seconds, failures: good ? [] : [ended ?? output.trim()], skippedNames: [] };
}

async function runOn(driver: Exclude<DriverName, 'node'>, obstacle: string | null, log: (line: string) => void): Promise<NamedResult> {
  const name = driver === 'kind' ? 'cluster on kind' : 'cluster on a given kubeconfig';
  if (obstacle !== null) return { name, outcome: obstacle };
  const cluster = await openCluster(driver, { images: [allImages], log });
  try {
    return { name, outcome: await runJest('cluster', ['--runInBand'], { env: variablesOf(cluster) }) };
  } finally {
    await cluster.close();
  }
}
