import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from './clock.ts';
import type { ApiServerAddress } from './https-client.ts';

/** Where the kubelet mounts a service account (Kubernetes: "Accessing the API from a Pod"). */
const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Both files are renewed long before what they held ends; reading them once a minute is enough (client-go). */
const fileAgeMs = 60_000;

/** The API server as a pod finds it. Rejects, with a sentence, outside a cluster. */
export async function readInCluster(clock: Clock, env: Readonly<Record<string, string | undefined>>, folder = serviceAccountFolder): Promise<ApiServerAddress> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (host === undefined || port === undefined) throw new Error('KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is no pod of a cluster.');
  const ca = keptFile(clock, join(folder, 'ca.crt'));
  const token = keptFile(clock, join(folder, 'token'));
  await Promise.all([ca(), token()]);
  return { server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`, ca, token };
}

/** A file's text without the space around it, read again when it is a minute old. */
function keptFile(clock: Clock, path: string): () => Promise<string> {
  let last: { readonly text: string; readonly readMs: number } | undefined;
  return async () => {
    if (last === undefined || clock.nowMs() - last.readMs >= fileAgeMs) last = { text: (await readFile(path, 'utf8')).trim(), readMs: clock.nowMs() };
    return last.text;
  };
}
