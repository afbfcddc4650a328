import { expect, test } from '@jest/globals';
import { whyNotHere } from './given-cluster.ts';

/** kubectl's answers by the kind that is asked for. */
const clusterWith = (found: { readonly crd?: string; readonly namespace?: string }): Parameters<typeof whyNotHere>[0] => ({
  kubectl: ([, kind]) => Promise.resolve((kind === 'crd' ? found.crd : found.namespace) ?? ''),
});

test.each<[string, Parameters<typeof clusterWith>[0], string | null]>([
  ['has nothing of Belay', {}, null],
  ["has somebody's Belay, or what its uninstallation left", { crd: 'customresourcedefinition.apiextensions.k8s.io/modelproviders.belay.dev\n' }, 'Belay, or its CRDs, are in this cluster already'],
  ['has one of the namespaces', { namespace: 'namespace/belay-system\n' }, 'There is namespace/belay-system in this cluster already'],
  ['has both', { namespace: 'namespace/belay-demo\nnamespace/belay-system\n' }, 'There is namespace/belay-demo and namespace/belay-system in this cluster already'],
])('the demo plays, and removes what it made, only where a cluster has nothing of the kind: one that %s', async (_, found, why) => {
  const said = await whyNotHere(clusterWith(found));
  if (why === null) expect(said).toBeNull();
  else expect(said).toContain(why);
});
