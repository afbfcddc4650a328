import type { RunOptions, RunResult } from '../../../scripts/machine/start-machine.ts';

/** A Kubernetes cluster that tests and the demo use, whoever made it. */
export interface Cluster {
  readonly driver: 'kubeconfig' | 'kind' | 'node';
  /** Path of the kubeconfig. */
  readonly kubeconfig: string;
  /** Folder of the private machine in which alone the API server answers (`spawnInside`); null: it answers here. */
  readonly inside: string | null;
  /** Whether `run` reaches the addresses of pods and Services. Where it does not, `kubectl port-forward` does. */
  readonly reachesPods: boolean;
  /** Standard output; rejects with standard error where kubectl fails. */
  kubectl(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Like `kubectl`. */
  helm(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Runs a command where the API server answers, with KUBECONFIG set; never rejects for its exit code. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Puts all images of an archive where pods find them with `imagePullPolicy: IfNotPresent`. */
  loadImages(archive: string): Promise<void>;
  /** Removes the cluster where it was made for the caller; leaves a given one. May be called twice. */
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Archives to load. */
  readonly images: readonly string[];
  readonly log?: (line: string) => void;
}

/** Variables with which `connectCluster` in another process finds the same cluster. */
export const clusterVariables = {
  kubeconfig: 'BELAY_TEST_KUBECONFIG',
  /** A command line to which the path of an archive is added. */
  loadImages: 'BELAY_TEST_LOAD_IMAGES',
  /** `true` where pods are reached by their addresses. */
  reachesPods: 'BELAY_TEST_REACHES_PODS',
} as const;

/** What `run` gave, or an error that says what failed. */
export async function succeed(what: string, running: Promise<RunResult>): Promise<string> {
  const { code, stdout, stderr } = await running;
  if (code !== 0) throw new Error(`${what} ended with ${code ?? 'a signal'}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}
