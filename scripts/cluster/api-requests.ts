import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { nodeAddresses } from './node-addresses.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

export interface ApiRequests {
  /** `body` is sent as JSON by POST; status 0: no answer. */
  send(path: string, body?: object): Promise<ApiAnswer>;
}

/** Requests of the administrator to the API server of the cluster in `folder`, from inside its namespaces. */
export function createApiRequests(folder: string, token: string): ApiRequests {
  const caFile = join(folder, 'pki', 'ca.crt');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return {
    async send(path, body) {
      if (!existsSync(caFile)) return { status: 0, text: '' };
      return new Promise((resolve) => {
        const sent = request(new URL(path, nodeAddresses.apiServer), { method: body === undefined ? 'GET' : 'POST', ca: readFileSync(caFile), agent: false, headers }, (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (part: string) => { text += part; });
          answer.once('close', () => resolve({ status: answer.statusCode ?? 0, text }));
        });
        sent.setTimeout(5_000, () => sent.destroy());
        sent.once('error', (error) => resolve({ status: 0, text: error.message }));
        sent.end(body === undefined ? undefined : JSON.stringify(body));
      });
    },
  };
}
