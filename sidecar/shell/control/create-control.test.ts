import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parsed, refused, reportIntervalMs, silenceLimitMs, type ChainReport, type Parsed, type Resource, type SidecarEnvironment } from '@belay/contract';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { chainEntry, providerEntry, routingTable, targetEntry } from '../../../test/support/made-up-table.ts';
import { until } from '../../../test/support/running-sidecar.ts';
import { createStandInDistributor, type DistributorOptions, type StandInDistributor } from '../../../test/support/stand-in-distributor.ts';
import { testCa } from '../../../test/support/test-certificates.ts';
import type { LogLine } from '../sidecar-options.ts';
import { createControl, type Control } from './create-control.ts';

const table = routingTable([chainEntry('chat', [targetEntry('a')])], [providerEntry('a')]);
const tableResource = (version: string): Resource => ({ type: 'table', version, data: { ...table, version } });

let folder = '';
let clock = new ManualClock();
let distributor: StandInDistributor | null = null;
let control: Control | null = null;
const applied: unknown[] = [];
const log: LogLine[] = [];
let verdict: Parsed<{ version: string }> = parsed({ version: 'v' });
const chains: ChainReport[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'belay-control-'));
  clock = new ManualClock();
  verdict = parsed({ version: 'v' });
  applied.length = log.length = chains.length = 0;
  put('token', 'first.token');
});
afterEach(async () => {
  control?.close();
  expect(clock.armed).toBe(0);
  await distributor?.kill();
  rmSync(folder, { recursive: true });
});

function put(file: string, text: string): void {
  writeFileSync(join(folder, file), text);
}

async function start(given: DistributorOptions = {}, environment: Partial<SidecarEnvironment> = {}): Promise<StandInDistributor> {
  const made = await createStandInDistributor(given);
  distributor = made;
  control = createControl({
    environment: { distributor: { host: 'localhost', port: made.port }, chains: ['*'], podName: 'shop', podUid: 'u', namespace: 'support', certificates: testCa, ...environment },
    files: { token: join(folder, 'token'), bootstrap: folder },
    sidecar: {
      applyTable(given) {
        applied.push(given);
        return verdict;
      },
      applyKeys: (keys) => void applied.push(keys),
      applyEndpoints: (endpoints) => void applied.push(endpoints),
      report: () => chains,
    },
    clock, random: () => 0.5, log: (line) => log.push(line),
  });
  control.start();
  return made;
}

describe('the control stream of a sidecar', () => {
  test('says hello with its token, applies what comes, and answers by nonce', async () => {
    const made = await start({ resources: [{ type: 'endpoints', version: 'e1', data: [] }, tableResource('v1')] });
    await until(() => made.frames('ack').length === 2);
    expect(made.current()?.token).toBe('first.token');
    expect(made.hello()).toMatchObject({ pod: 'shop', uid: 'u', chains: ['*'], have: { table: null } });
    expect(made.frames('ack').map(({ nonce }) => nonce)).toEqual(['1', '2']);
    expect(applied).toEqual([[], { ...table, version: 'v1' }]);
  });

  test('refuses a table in its own words, and goes on', async () => {
    verdict = refused('chains[0].targets', 'must have at least one');
    const made = await start({ resources: [tableResource('v1')] });
    await until(() => made.frames('nack').length === 1);
    expect(made.frames('nack')).toEqual([{ frame: 'nack', nonce: '1', error: 'chains[0].targets: must have at least one' }]);
    verdict = parsed({ version: 'v2' });
    made.publish(tableResource('v2'));
    await until(() => made.frames('ack').length === 1);
  });

  test('reports every interval while it is connected', async () => {
    const made = await start({ resources: [tableResource('v1')] });
    await until(() => made.frames('ack').length === 1);
    chains.push({ name: 'chat', requests: 3, failed: 1, targets: [] });
    await clock.advance(reportIntervalMs);
    await until(() => made.lastReport() !== undefined);
    expect(made.lastReport()).toEqual({ frame: 'report', chains });
  });
});
