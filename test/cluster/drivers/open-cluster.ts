import { clusterVariables, type Cluster, type OpenOptions } from './cluster.ts';
import { openKindCluster, whyNoKind } from './kind-driver.ts';
import { openKubeconfigCluster } from './kubeconfig-driver.ts';
import { loadCommand, openNodeCluster } from './node-driver.ts';

export type DriverName = Cluster['driver'];

export function isDriver(name: string): name is DriverName {
  return ['node', 'kind', 'kubeconfig'].includes(name);
}

/** The driver for a person who asked for none: a kubeconfig that is given, else kind, else the node that is built here. */
export function chooseDriver(env: NodeJS.ProcessEnv = process.env): DriverName {
  if (env[clusterVariables.kubeconfig] !== undefined) return 'kubeconfig';
  return whyNoKind() === null ? 'kind' : 'node';
}

/** Opens a cluster and loads images into it. Rejects with a `MissingPart` where this machine cannot have one. */
export function openCluster(driver: DriverName, options: OpenOptions): Promise<Cluster> {
  switch (driver) {
    case 'kubeconfig': return openKubeconfigCluster(options);
    case 'kind': return openKindCluster(options);
    case 'node': return openNodeCluster(options);
  }
}

/** Variables for a process that runs `inside` the cluster: there `connectCluster` finds it. */
export function variablesOf({ kubeconfig, inside, reachesPods }: Cluster, env: NodeJS.ProcessEnv = process.env): Readonly<Record<string, string>> {
  const load = inside === null ? env[clusterVariables.loadImages] : loadCommand(inside);
  return {
    KUBECONFIG: kubeconfig, [clusterVariables.kubeconfig]: kubeconfig, [clusterVariables.reachesPods]: String(reachesPods),
    ...(load === undefined ? {} : { [clusterVariables.loadImages]: load }),
  };
}
