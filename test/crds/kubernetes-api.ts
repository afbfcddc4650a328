import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { parse } from 'yaml';

/** A Kubernetes API server, reached as its kubeconfig's user over one kept connection. */
export interface KubernetesAPI {
  send(method: string, path: string, options?: SendOptions): Promise<{ readonly status: number; readonly body: unknown }>;
  close(): void;
}

interface SendOptions {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { readonly server: string; readonly 'certificate-authority'?: string; readonly 'certificate-authority-data'?: string } }[];
  readonly users: readonly { readonly user: { readonly token?: string; readonly 'client-certificate-data'?: string; readonly 'client-key-data'?: string } }[];
}

/** Opens the API server of a kubeconfig file's first cluster, as its first user. */
export function createKubernetesAPI(kubeconfig: string): KubernetesAPI {
  const config = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
  const cluster = config.clusters[0]?.cluster;
  const user = config.users[0]?.user;
  if (cluster === undefined || user === undefined) throw new Error(`${kubeconfig}: has no cluster or no user`);
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ...trust(cluster), ...certificate(user) });
  const authorization = user.token === undefined ? {} : { authorization: `Bearer ${user.token}` };
  return {
    send: (method, path, { body, contentType = 'application/json', accept = 'application/json' } = {}) =>
      new Promise((resolve, reject) => {
        const headers = { ...authorization, accept, ...(body === undefined ? {} : { 'content-type': contentType }) };
        const sent = request(new URL(path, cluster.server), { method, agent, headers }, (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString()) as unknown }));
        });
        sent.on('error', reject);
        sent.end(body === undefined ? undefined : JSON.stringify(body));
      }),
    close: () => agent.destroy(),
  };
}

function trust(cluster: Kubeconfig['clusters'][number]['cluster']): { readonly ca?: Buffer } {
  const data = cluster['certificate-authority-data'];
  if (data !== undefined) return { ca: Buffer.from(data, 'base64') };
  const file = cluster['certificate-authority'];
  return file === undefined ? {} : { ca: readFileSync(file) };
}

function certificate(user: Kubeconfig['users'][number]['user']): { readonly cert?: Buffer; readonly key?: Buffer } {
  const cert = user['client-certificate-data'];
  const key = user['client-key-data'];
  return cert === undefined || key === undefined ? {} : { cert: Buffer.from(cert, 'base64'), key: Buffer.from(key, 'base64') };
}
