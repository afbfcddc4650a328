import { createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { KubeClient } from '@belay/operator/shell/kube/kube-client.ts';
import type { KubeObject } from '@belay/operator/shell/kube/kube-object.ts';
import type { ApiServer } from '../../scripts/kubernetes/with-api-server.ts';

export interface MadePod { readonly namespace: string; readonly name: string; readonly uid: string }

const core = (plural: string) => ({ group: '', version: 'v1', plural });
const rbac = (plural: string) => ({ group: 'rbac.authorization.k8s.io', version: 'v1', plural });

/** A namespace and its service account `default`, which no controller is there to make. */
export async function makeNamespace(client: KubeClient, name: string): Promise<void> {
  await client.create({ resource: core('namespaces') }, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await makeServiceAccount(client, name, 'default');
}

export async function makeServiceAccount(client: KubeClient, namespace: string, name: string): Promise<void> {
  await client.create({ resource: core('serviceaccounts'), namespace }, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
}

export async function makePod(client: KubeClient, namespace: string, name: string): Promise<MadePod> {
  const pod = await client.create<KubeObject>({ resource: core('pods'), namespace }, { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { serviceAccountName: 'default', containers: [{ name: 'app', image: 'app' }] } });
  return { namespace, name, uid: pod.metadata.uid! };
}

/** TokenRequest, as the kubelet asks for a projected token; without a pod it is bound to none. */
export async function requestToken(client: KubeClient, { namespace, account = 'default', audiences = ['belay.dev'], pod }: { readonly namespace: string; readonly account?: string; readonly audiences?: readonly string[]; readonly pod?: MadePod }): Promise<string> {
  const bound = pod === undefined ? {} : { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid } };
  const answer = await client.create<KubeObject & { readonly status: { readonly token: string } }>(
    { resource: core('serviceaccounts'), namespace, name: account, subresource: 'token' },
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences, expirationSeconds: 3_600, ...bound } },
  );
  return answer.status.token;
}

/** The same token with other times, signed anew with the API server's own key: what it would have issued then. */
export function reissue(server: ApiServer, token: string, times: { readonly iat: number; readonly nbf: number; readonly exp: number }): string {
  const [header = '', payload = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as object;
  const signed = `${header}.${Buffer.from(JSON.stringify({ ...claims, ...times })).toString('base64url')}`;
  const key = readFileSync(join(dirname(server.kubeconfig), 'service-account.key'), 'utf8');
  return `${signed}.${createSign('sha256').update(signed).sign({ key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/** Lets a service account do this: in all namespaces, or in one. */
export async function allow(client: KubeClient, account: { readonly namespace: string; readonly name: string }, role: string, rule: object, namespace?: string): Promise<void> {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  const place = namespace === undefined ? {} : { namespace };
  const plural = kind === 'Role' ? 'roles' : 'clusterroles';
  await client.create({ resource: rbac(plural), ...place }, { apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name: role }, rules: [rule] });
  await client.create({ resource: rbac(kind === 'Role' ? 'rolebindings' : 'clusterrolebindings'), ...place }, {
    apiVersion: 'rbac.authorization.k8s.io/v1', kind: `${kind}Binding`, metadata: { name: role },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role }, subjects: [{ kind: 'ServiceAccount', ...account }],
  });
}

export async function putSecret(client: KubeClient, namespace: string, name: string, values: Readonly<Record<string, string>>): Promise<void> {
  await client.apply({ resource: core('secrets'), namespace, name }, { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: values }, { fieldManager: 'test', force: true });
}
