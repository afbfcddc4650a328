import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { removeLeftovers } from './cluster-records.ts';
import { ensureClusterTools } from './cluster-tools.ts';
import { spawnInCluster, type InsideOptions } from './in-cluster.ts';
import { nodeAddresses } from './node-addresses.ts';
import { logFile, settingsFile, type NodeMessage, type NodeSettings } from './node-settings.ts';
import { isSharedPath } from './private-machine.ts';

export interface RunResult {
  /** Exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions extends Pick<InsideOptions, 'cwd' | 'env'> {
  /** Written to standard input, which is empty otherwise. */
  readonly input?: string;
}

export interface NodeCluster {
  /** Holds the cluster's files, and is what `in-cluster.ts` takes. */
  readonly dir: string;
  /** Path of a kubeconfig with every right. Its address answers inside the cluster's namespaces alone. */
  readonly kubeconfig: string;
  readonly addresses: typeof nodeAddresses;
  /** Runs a command inside the cluster's namespaces, with KUBECONFIG, kubectl and helm; never rejects for its exit code. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Imports an image archive into the node's containerd. */
  loadImage(archive: string): Promise<void>;
  /** What a server (`kubelet`, `kube-apiserver`, …) has logged. */
  log(server: string): string;
  /** Ends all of it and removes every trace; may be called twice. */
  close(): Promise<void>;
}

export interface NodeClusterOptions {
  /** An empty or absent folder; a fresh one by default. Removed by `close`. */
  readonly dir?: string;
  /** Image archives that the node has from the start; one must hold the pause image. */
  readonly images: readonly string[];
  readonly log?: (line: string) => void;
}

/**
 * Starts a Kubernetes cluster of one node with real containers, in network, mount and process namespaces of its own
 * that lead nowhere: about 9 s, or minutes where its parts must be built first. It ends with this process, however that
 * ends, and leaves nothing. Needs root; rejects with a `MissingPart` where this machine cannot have one.
 */
export async function startNodeCluster({ dir, images, log = () => {} }: NodeClusterOptions): Promise<NodeCluster> {
  const { kubernetes, coredns } = await ensureClusterTools(log);
  await removeLeftovers(log);
  // What the node needs of the kernel; where it is built in, or no module can be loaded, the start itself says what is missing.
  spawnSync('modprobe', ['--quiet', '--all', 'overlay', 'br_netfilter', 'nf_tables']);
  const folder = dir === undefined ? mkdtempSync(join(tmpdir(), 'belay-node-')) : claimFolder(resolve(dir));
  const name = `belay-node-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`;
  const settings: NodeSettings = { name, folder, kubernetes, coredns, images: images.map((image) => resolve(image)) };
  writeFileSync(settingsFile(folder), JSON.stringify(settings));

  // A process group of its own: a Ctrl-C on the terminal ends the tests first, and this with them.
  const keeper = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'keep-node.ts'), folder], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((done) => keeper.once('exit', () => done()));
  const close = async (): Promise<void> => {
    keeper.ref();
    keeper.stdin?.end();
    await ended;
  };
  try {
    await ready(keeper, ended, log);
  } catch (error) {
    const logs = lastLines(folder);
    await close();
    throw new Error(`the cluster did not start: ${(error as Error).message}${logs}`, { cause: error });
  }
  // Neither the keeper nor its pipes keep a process alive that has forgotten to close it.
  keeper.unref();
  for (const pipe of [keeper.stdin, keeper.stdout]) (pipe as unknown as { unref(): void }).unref();
  return nodeCluster(folder, close);
}

function nodeCluster(folder: string, close: () => Promise<void>): NodeCluster {
  const run: NodeCluster['run'] = (command, args, options) => runInside(folder, command, args, options);
  return {
    dir: folder, kubeconfig: join(folder, 'admin.kubeconfig'), addresses: nodeAddresses, run, close,
    async loadImage(archive) {
      const { code, stderr } = await run('ctr', ['--address', join(folder, 'containerd.sock'), '--namespace', 'k8s.io', 'images', 'import', resolve(archive)]);
      if (code !== 0) throw new Error(`${archive} could not be imported: ${stderr.trim()}`);
    },
    log: (server) => (existsSync(logFile(folder, server)) ? readFileSync(logFile(folder, server), 'utf8') : ''),
  };
}

function claimFolder(folder: string): string {
  if (!isSharedPath(folder)) throw new Error(`a cluster's folder cannot be ${folder}: inside the cluster, other files are seen there; choose one outside of /run, /var/lib and /var/log`);
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0) throw new Error(`a cluster's folder must be empty, and ${folder} is not`);
  return folder;
}

/** Resolves at the message `ready`; what comes later, servers that end by themselves, is logged. */
function ready(keeper: ChildProcess, ended: Promise<void>, log: (line: string) => void): Promise<void> {
  return new Promise((done, fail) => {
    void ended.then(() => fail(new Error('it ended by itself')));
    keeper.once('error', fail);
    if (keeper.stdout === null) return fail(new Error('its output cannot be read'));
    createInterface({ input: keeper.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as NodeMessage;
      switch (message.type) {
        case 'step': return log(`${message.text} (${message.seconds.toFixed(1)} s)`);
        case 'ready': return done();
        case 'failed':
          log(message.why);
          return fail(new Error(message.why));
      }
    });
  });
}

function runInside(folder: string, command: string, args: readonly string[], { input = '', ...options }: RunOptions = {}): Promise<RunResult> {
  return new Promise((done, fail) => {
    const child = spawnInCluster(folder, command, args, options);
    let [stdout, stderr] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
    // A command that ends without reading all of it is not an error of ours.
    child.stdin?.on('error', () => {}).end(input);
    child.once('error', fail).once('close', (code) => done({ code, stdout, stderr }));
  });
}

function lastLines(folder: string): string {
  const logs = existsSync(join(folder, 'log')) ? readdirSync(join(folder, 'log')) : [];
  return logs.map((file) => `\n${file}: ${readFileSync(join(folder, 'log', file), 'utf8').trim().split('\n').slice(-3).join('\n')}`).join('');
}
