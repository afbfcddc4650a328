import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from './clock.ts';
import type { ApiServerAddress } from './https-client.ts';

/** Where the kubelet mounts a service account (Kubernetes: "Accessing the API from a Pod"). */
const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
/** A projected token is renewed long before it ends; reading it once a minute is enough (client-go). */
const tokenAgeMs = 60_000;

/** The API server as a pod finds it. Rejects, with a sentence, outside a cluster. */
export async function readInCluster(clock: Clock, env: Readonly<Record<string, string | undefined>>, folder = serviceAccountFolder): Promise<ApiServerAddress> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (host === undefined || port === undefined) throw new Error('KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is no pod of a cluster.');
  const ca = await readFile(join(folder, 'ca.crt'), 'utf8');
  let last: { readonly token: string; readonly readMs: number } | undefined;
  const token = async (): Promise<string> => {
    if (last === undefined || clock.nowMs() - last.readMs >= tokenAgeMs) {
      last = { token: (await readFile(join(folder, 'token'), 'utf8')).trim(), readMs: clock.nowMs() };
    }
    return last.token;
  };
  await token();
  return { server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`, ca, token };
}
