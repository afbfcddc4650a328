import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bearerToken, bootstrapKeys, parseBootstrap, type Bootstrap, type Parsed } from '@belay/contract';
import { describeFileError, isMissingFile } from '../failure-from-node.ts';

/** Where an injected sidecar finds what the kubelet keeps current. */
export interface StreamFilePaths {
  /** The projected token. */
  readonly token: string;
  /** Mount of the ConfigMap `belay-bootstrap`. */
  readonly bootstrap: string;
}

/** What a connect needs, or the sentence that says what is missing. */
export type Credentials =
  | { readonly ok: true; readonly token: string; readonly authorities: readonly string[] }
  | { readonly ok: false; readonly detail: string };

/** Token and CAs as they are now: both rotate while the process lives. `known`: the CAs that the webhook knew; empty: none. */
export async function readCredentials({ token: tokenFile, bootstrap }: StreamFilePaths, known: string): Promise<Credentials> {
  const authoritiesFile = join(bootstrap, bootstrapKeys.certificates);
  const [token, current] = await Promise.all([readText(tokenFile), readText(authoritiesFile)]);
  if (token === null || typeof token !== 'string') return { ok: false, detail: `the token ${tokenFile} cannot be read: ${token?.problem ?? 'it is not there'}` };
  if (bearerToken(`Bearer ${token.trim()}`) === null) return { ok: false, detail: `${tokenFile} holds no token` };
  const authorities = [known, typeof current === 'string' ? current : ''].filter((text) => text.trim() !== '');
  if (authorities.length === 0) return { ok: false, detail: `no CA is known to trust it by: neither in the environment nor in ${authoritiesFile}` };
  return { ok: true, token: token.trim(), authorities };
}

/** What the kubelet has written of the bootstrap copy; null: no table yet. `text`: its files, to see whether they changed. */
export async function readBootstrap(folder: string): Promise<{ readonly text: string; readonly bootstrap: Parsed<Bootstrap> } | null> {
  const names = Object.values(bootstrapKeys);
  const texts = await Promise.all(names.map((name) => readText(join(folder, name))));
  if (typeof texts[names.indexOf(bootstrapKeys.table)] !== 'string') return null;
  const data = Object.fromEntries(names.map((name, index) => [name, typeof texts[index] === 'string' ? texts[index] : undefined]));
  return { text: JSON.stringify(data), bootstrap: parseBootstrap(data) };
}

/** null: there is no such file. */
async function readText(path: string): Promise<string | { readonly problem: string } | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    return isMissingFile(error) ? null : { problem: describeFileError(error) };
  }
}
