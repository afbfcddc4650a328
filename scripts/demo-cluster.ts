// `npm run demo:cluster [-- [--kubeconfig FILE --load-images COMMAND | --driver node|kind] [--keep]]`: Belay in Kubernetes, from
// helm install to an answer of llama.cpp in the cluster, with the commands that a person would type. On a cluster that is given,
// else one of kind, else one that is built and started here; that one is removed at the end, unless `--keep` says otherwise.
import { parseArgs, styleText } from 'node:util';
import { clusterVariables, type Cluster } from '../test/cluster/drivers/cluster.ts';
import { chooseDriver, isDriver, openCluster, type DriverName } from '../test/cluster/drivers/open-cluster.ts';
import { apply, fallBack, inject, install, look, mend, operatorDies, type Acts } from './cluster-demo/acts.ts';
import { demoNamespace } from './cluster-demo/demo-names.ts';
import { removeDemo, whyNotHere } from './cluster-demo/given-cluster.ts';
import { createTerminal } from './cluster-demo/terminal.ts';
import { stayUp } from './cluster/stay-up.ts';
import { createScreen } from './demo/screen.ts';
import { allImages } from './images/ensure-images.ts';
import { MissingPart, missingPartExitCode } from './missing-part.ts';
import { prerequisites, setUp } from './setup-parts.ts';

const { values } = parseArgs({ options: { kubeconfig: { type: 'string' }, 'load-images': { type: 'string' }, driver: { type: 'string' }, keep: { type: 'boolean', default: false } } });
if (values.kubeconfig !== undefined) process.env[clusterVariables.kubeconfig] = values.kubeconfig;
if (values['load-images'] !== undefined) process.env[clusterVariables.loadImages] = values['load-images'];
const screen = createScreen(process.stdout);
const dim = (text: string): string => styleText('dim', text);
const checks: { readonly what: string; readonly isSo: boolean }[] = [];
const titles: { readonly [driver in DriverName]: string } = {
  kubeconfig: 'on the cluster of a kubeconfig',
  kind: 'on a cluster of kind, made for this',
  node: 'on a node of Kubernetes that is built and started here: API server, kubelet, containerd, real containers',
};

try {
  process.exitCode = await main(values.driver ?? chooseDriver());
} catch (error) {
  screen.say(styleText('red', `✖ ${(error as Error).message}`));
  process.exitCode = error instanceof MissingPart ? missingPartExitCode : 1;
}

async function main(driver: string): Promise<number> {
  if (!isDriver(driver)) throw new Error(`There is no driver ${driver}: node, kind and kubeconfig are the drivers.`);
  screen.say(`\n${styleText('bold', 'Belay in a cluster')} ${dim(titles[driver])}`);
  const log = (line: string): void => screen.say(dim(`   set-up: ${line}`));
  await prepareImages(log);
  const cluster = await openCluster(driver, { images: [allImages], log });
  const leave = (): void => void close(cluster).then(() => process.exit(130));
  process.once('SIGINT', leave).once('SIGTERM', leave);
  try {
    const obstacle = driver === 'kubeconfig' ? await whyNotHere(cluster) : null;
    if (obstacle !== null) throw new MissingPart(obstacle);
    const code = await play(cluster);
    process.off('SIGINT', leave).off('SIGTERM', leave);
    if (values.keep) await keep(cluster);
    return code;
  } finally {
    if (!values.keep || driver !== 'kubeconfig') await close(cluster);
  }
}

/** Archive of all images; what it stands on is built first. Digests and sizes are of interest to builders alone. */
async function prepareImages(log: (line: string) => void): Promise<void> {
  const startedMs = performance.now();
  for (const part of [...(prerequisites.images ?? []), 'images'] as const) await setUp(part, (line) => { if (!/ {2}(sha256:|\d+ bytes)/.test(line)) log(line); });
  log(`images built (${((performance.now() - startedMs) / 1_000).toFixed(1)} s)`);
}

/** Exit code: 0 where everything was as expected. What breaks off in the middle is shown with the pods as they are. */
async function play(cluster: Cluster): Promise<number> {
  const startedMs = performance.now();
  const terminal = createTerminal(cluster, screen);
  const acts: Acts = { screen, terminal, check };
  try {
    for (const act of [install, apply, inject, fallBack, look, mend, operatorDies]) await act(acts);
  } catch (error) {
    check((error as Error).message, false);
    await terminal.type(['kubectl', 'get', 'pods', '--all-namespaces', '-o', 'wide']).catch(() => '');
    await terminal.type(['kubectl', '-n', demoNamespace, 'events', '--types=Warning']).catch(() => '');
  }
  const failed = checks.filter(({ isSo }) => !isSo);
  screen.say('');
  for (const { what } of failed) screen.say(styleText('red', ` ✖ not as expected: ${what}`));
  if (failed.length === 0) screen.say(`${styleText('green', '✔')} ${checks.length} of ${checks.length} things were as expected, ${((performance.now() - startedMs) / 1_000).toFixed(0)} s after helm install began`);
  return failed.length === 0 ? 0 : 1;
}

function check(what: string, isSo: boolean): void {
  checks.push({ what, isSo });
  screen.say(isSo ? ` ${styleText('green', '✔')} ${what}` : styleText('red', ` ✖ not as expected: ${what}`));
}

async function keep(cluster: Cluster): Promise<void> {
  if (cluster.driver === 'kubeconfig') {
    screen.say(`\nEverything stays. To remove it:\n\n  kubectl delete namespace ${demoNamespace}\n  helm uninstall belay --namespace belay-system`);
    return;
  }
  screen.say(`\nThe cluster stays, with all of it in namespace ${demoNamespace}.`);
  await stayUp(cluster);
}

async function close(cluster: Cluster): Promise<void> {
  screen.close();
  if (cluster.driver === 'kubeconfig') await removeDemo(cluster, (line) => screen.say(dim(`   ${line}`)));
  await cluster.close();
}
