import { expect, test } from '@jest/globals';
import type { LogLine } from '@belay/sidecar/shell/sidecar-options.ts';
import type { Configuration, LoadedConfiguration } from './configuration.ts';
import { createReload } from './reload.ts';

const configuration = (version: string): Configuration => ({ table: { schemaVersion: 1, version, namespace: 'n', providers: [], chains: [] }, keys: [], localModels: [], warnings: [] });

function rig() {
  const waiting: ((loaded: LoadedConfiguration | Error) => void)[] = [];
  const taken: string[] = [];
  const logged: LogLine[] = [];
  const reload = createReload({
    load: () => new Promise((resolve, reject) => { waiting.push((loaded) => (loaded instanceof Error ? reject(loaded) : resolve(loaded))); }),
    log: (line) => logged.push(line),
    current: configuration('1'),
    take: ({ table }) => { taken.push(table.version); return null; },
  });
  const finish = async (loaded: LoadedConfiguration | Error): Promise<void> => {
    waiting.shift()?.(loaded);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return { reload, waiting, taken, logged, finish };
}

test('changes during a load are taken by one more load, never by two at once', async () => {
  const { reload, waiting, taken, finish } = rig();
  reload();
  reload();
  reload();
  expect(waiting).toHaveLength(1);
  await finish({ ok: true, value: configuration('2') });
  expect(waiting).toHaveLength(1);
  await finish({ ok: true, value: configuration('3') });
  expect(waiting).toHaveLength(0);
  expect(taken).toEqual(['2', '3']);
});

test('a load that fails by itself is said, and the next change is loaded all the same', async () => {
  const { reload, taken, logged, finish } = rig();
  reload();
  await finish(new Error('the process that reads the manifests ended with SIGKILL'));
  expect(logged.at(-1)).toMatchObject({ level: 'error', message: expect.stringContaining('ended with SIGKILL') });
  reload();
  await finish({ ok: true, value: configuration('2') });
  expect(taken).toEqual(['2']);
});

test('a change that routes as before is said so', async () => {
  const { reload, logged, finish } = rig();
  reload();
  await finish({ ok: true, value: configuration('1') });
  expect(logged.at(-1)?.message).toBe('the changed manifests route as before');
});
