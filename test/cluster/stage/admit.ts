import type { Stage } from './stage.ts';

/** What came of pods that went through admission. */
export interface Admitted {
  readonly sidecars: number;
  /** The API server's words. */
  readonly refusals: readonly string[];
}

/** Pods that ask for a sidecar go through admission, and are made by nobody (a dry run of the server). */
export async function admit({ cluster, namespace }: Stage, pods: number): Promise<Admitted> {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { generateName: 'annotated-', annotations: { 'belay.dev/inject': 'true' } }, spec: { containers: [{ name: 'app', image: 'app' }] } };
  const items = Array.from({ length: pods }, () => pod);
  try {
    const names = await cluster.kubectl(
      ['--namespace', namespace, 'create', '--dry-run=server', '--filename', '-', '--output', 'jsonpath={.spec.initContainers[0].name}{"\\n"}'],
      { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) },
    );
    return { sidecars: names.split('\n').filter((name) => name === 'belay').length, refusals: [] };
  } catch (error) {
    return { sidecars: 0, refusals: [error instanceof Error ? error.message : String(error)] };
  }
}

/** Admits pods, five at a time, until `over` is true and there were at least `least`. */
export async function admitAlong(stage: Stage, least: number, over: () => boolean): Promise<Admitted> {
  let sidecars = 0;
  const refusals: string[] = [];
  while (!over() || (sidecars < least && refusals.length < least)) {
    const some = await admit(stage, 5);
    sidecars += some.sidecars;
    refusals.push(...some.refusals);
  }
  return { sidecars, refusals };
}
