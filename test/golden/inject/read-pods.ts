import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Pod } from '@belay/operator/core/inject/pod.ts';
import type { InjectionSettings } from '@belay/operator/core/inject/sidecar-container.ts';

export const settings: InjectionSettings = {
  image: 'registry.example/belay/sidecar:0.1.0',
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: ['registry-login'],
  distributor: 'belay.belay-system.svc:7443',
  userIds: 'fixed',
  caCertificates: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
};

/** The pods of this folder, by their file's name. */
export function readPods(): readonly { readonly name: string; readonly pod: Pod }[] {
  return readdirSync(import.meta.dirname).filter((file) => file.endsWith('.yaml')).sort()
    .map((file) => ({ name: file.replace('.yaml', ''), pod: parse(readFileSync(join(import.meta.dirname, file), 'utf8')) as Pod }));
}
