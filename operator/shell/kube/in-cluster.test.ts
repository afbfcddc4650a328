import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { readInCluster } from './in-cluster.ts';

const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

test('a renewed token and a rotated CA are used within a minute', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'belay-account-'));
  try {
    writeFileSync(join(folder, 'ca.crt'), 'pem');
    writeFileSync(join(folder, 'token'), 'one\n');
    const clock = new ManualClock();
    const address = await readInCluster(clock, env, folder);
    const held = async (): Promise<unknown[]> => [await (address.ca as () => Promise<string>)(), await address.token?.()];
    expect([address.server, await held()]).toEqual(['https://[fd00::1]:443', ['pem', 'one']]);
    writeFileSync(join(folder, 'token'), 'two\n');
    writeFileSync(join(folder, 'ca.crt'), 'pem\nnewer pem\n');
    await clock.advance(59_000);
    expect(await held()).toEqual(['pem', 'one']);
    await clock.advance(1_000);
    expect(await held()).toEqual(['pem\nnewer pem', 'two']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('outside a cluster it says so', async () => {
  await expect(readInCluster(new ManualClock(), {})).rejects.toThrow('this is no pod of a cluster');
});
