import { hasStatus } from '@belay/operator/shell/kube/kube-error.ts';
import picocolors from 'picocolors';
import { stringify } from 'yaml';
import { openCluster, type Cluster, type ClusterOptions } from '../cluster/open-cluster.ts';
import { isOutputForm, outputFault, type CommandOutput, type OutputForm } from '../output/command-output.ts';
import type { ClusterState } from './cluster-state.ts';
import { findTroubles } from './find-troubles.ts';
import { printStatus } from './print-status.ts';
import { readCluster } from './read-cluster.ts';
import type { Trouble } from './trouble.ts';

/** Options of `belay status` as the command line gives them. */
export interface RawStatusOptions extends ClusterOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly output?: string;
}

export interface StatusTools {
  readonly env: NodeJS.ProcessEnv;
  readonly wallClock: () => number;
}

/** `belay status`: resolves to the exit code: 0, 1 (problems, or a cluster that cannot be asked), 2 (usage). */
export async function statusCommand(options: RawStatusOptions, output: CommandOutput, { env, wallClock }: StatusTools): Promise<number> {
  const { output: form = 'text', allNamespaces = false } = options;
  const complain = (sentence: string): void => output.complain(`belay status: ${sentence}\n`);
  if (!isOutputForm(form)) {
    complain(outputFault(form));
    return 2;
  }
  if (allNamespaces && options.namespace !== undefined) {
    complain('take -n NAMESPACE or -A, not both');
    return 2;
  }
  const cluster = await openCluster(options, env).catch(messageOf);
  if (typeof cluster === 'string') {
    complain(cluster);
    return 1;
  }
  const shown = { cluster, namespace: allNamespaces ? null : options.namespace ?? cluster.namespace, colour: output.colour };
  return show(form, shown, output, wallClock).catch((error: unknown) => {
    complain(refusalOf(error, shown));
    return 1;
  }).finally(() => cluster.close());
}

interface Shown {
  readonly cluster: Cluster;
  /** null: all of them. */
  readonly namespace: string | null;
  readonly colour: boolean;
}

async function show(form: OutputForm, shown: Shown, output: CommandOutput, wallClock: () => number): Promise<number> {
  const state = await readCluster(shown.cluster.client, shown.namespace, wallClock());
  const troubles = findTroubles(state);
  output.write(present(form, state, troubles, shown));
  return troubles.length > 0 ? 1 : 0;
}

function refusalOf(error: unknown, { cluster, namespace }: Shown): string {
  if (hasStatus(error, 404)) return `The cluster of context "${cluster.context}" does not know the kinds FallbackChain and ModelProvider: install Belay with helm.`;
  if (hasStatus(error, 403)) {
    const where = namespace === null ? 'of all namespaces: name one with -n' : `in namespace ${namespace}: ask for the role view`;
    return `You may not read FallbackChains and ModelProviders ${where}.`;
  }
  return cluster.describe(error);
}

function present(form: OutputForm, state: ClusterState, troubles: readonly Trouble[], { cluster, namespace, colour }: Shown): string {
  if (form === 'text') return printStatus(state, troubles, namespace === null ? 'any namespace' : `namespace ${namespace}`, picocolors.createColors(colour));
  const report = {
    ok: troubles.length === 0, context: cluster.context, namespace,
    chains: state.chains.map(({ metadata, status }) => ({ namespace: metadata.namespace, name: metadata.name, ...status })),
    providers: state.providers.map(({ metadata, status }) => ({ namespace: metadata.namespace, name: metadata.name, ...status })),
    operator: state.operator, problems: troubles,
  };
  return form === 'json' ? `${JSON.stringify(report, null, 2)}\n` : stringify(report, { aliasDuplicateObjects: false });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
