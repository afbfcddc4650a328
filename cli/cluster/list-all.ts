import type { KubeClient, ListQuery } from '@belay/operator/shell/kube/kube-client.ts';
import type { KubeObject } from '@belay/operator/shell/kube/kube-object.ts';
import type { Place } from '@belay/operator/shell/kube/resource-path.ts';

/** Every object of a collection, page by page. */
export async function listAll<T extends KubeObject>(client: KubeClient, place: Place, query: ListQuery = {}): Promise<readonly T[]> {
  const items: T[] = [];
  for (let next: ListQuery = { ...query, limit: 500 }; ;) {
    const page = await client.list<T>(place, next);
    items.push(...(page.items ?? []));
    const { continue: more = '' } = page.metadata;
    if (more === '') return items;
    next = { ...next, continue: more };
  }
}
