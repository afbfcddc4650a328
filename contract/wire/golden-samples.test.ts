import { describe, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MicroDollars } from '../money.ts';
import type { Parsed } from '../problem.ts';
import type { KeyEntry, RoutingTable } from '../routing-table.ts';
import { Secret } from '../secret.ts';
import { encodeBootstrap, parseBootstrap } from './bootstrap.ts';
import { encodeFrame } from './encode-frame.ts';
import type { ClientFrame, ServerFrame } from './frames.ts';
import { parseClientFrame } from './parse-client-frame.ts';
import { parseServerFrame } from './parse-server-frame.ts';
import { readableSchemaVersions, writableSchemaVersions } from './schema-versions.ts';
import { parseSidecarEnvironment } from './sidecar-environment.ts';
import * as names from './stream-names.ts';

const goldens = join(import.meta.dirname, '../golden');
const table = JSON.parse(readFileSync(join(goldens, 'routing-table.json'), 'utf8')) as RoutingTable;
const endpoints = [
  { name: 'on-cluster', state: 'Ready', url: 'http://belay-on-cluster.default.svc:8080/v1' },
  { name: 'spare', state: 'Loading', url: null },
  { name: 'none', state: 'Absent', url: null, detail: 'no model file' },
] as const;
const keys: readonly KeyEntry[] = [{ provider: 'openai', origin: 'https://api.openai.com', secret: new Secret('sample-key-of-openai'), version: 'openai-key/17' }];

const clientFrames: readonly ClientFrame[] = [
  { frame: 'hello', pod: 'shop-7d9f-x2x', uid: '7c9f5a52-9a3a-4f5e-8a53-0c1d2e3f4a5b', chains: ['support-chat'], have: { endpoints: null, keys: null, hints: null, table: table.version }, protocol: 1, schemaVersions: [1] },
  { frame: 'ack', nonce: '3' },
  { frame: 'nack', nonce: '4', error: 'chains[0].targets: must have at least one target, or the chain say why it is unroutable' },
  {
    frame: 'report',
    chains: [{
      name: 'support-chat', requests: 120, failed: 1,
      targets: [
        { name: 'openai', served: 7, attempts: 120, failures: 113, lastFailure: 'Overload', breaker: 'open', firstContentP50Ms: 640 },
        { name: 'on-cluster', served: 112, attempts: 113, failures: 1, lastFailure: null, breaker: 'closed', firstContentP50Ms: null },
      ],
    }],
  },
  { frame: 'lease-request', budget: 'support-monthly', amount: 250_000 as MicroDollars },
];

const serverFrames: readonly ServerFrame[] = [
  { frame: 'snapshot', type: 'table', version: table.version, nonce: '4', data: table },
  { frame: 'snapshot', type: 'endpoints', version: 'sha256:e1', nonce: '1', data: endpoints },
  { frame: 'snapshot', type: 'keys', version: 'sha256:e2', nonce: '2', data: keys },
  { frame: 'snapshot', type: 'hints', version: 'sha256:e3', nonce: '3', data: [{ provider: 'openai', model: 'gpt-4o', failure: 'Overload', forMs: 30_000 }] },
  { frame: 'lease', budget: 'support-monthly', amount: 250_000 as MicroDollars, expiresInMs: 60_000 },
  { frame: 'ping' },
  { frame: 'goaway', reconnectWithinMs: 10_000 },
];

describe('every frame of a sidecar is the recorded line and is read back as it was (UPDATE_GOLDEN=1 records anew)', () => {
  test.each(clientFrames.map((frame) => [frame.frame, frame] as const))('%s', (name, frame) => {
    expect(encodeFrame(frame)).toBe(golden(`client-${name}.ndjson`, encodeFrame(frame)));
    expect(parseClientFrame(encodeFrame(frame))).toEqual({ ok: true, value: frame });
  });
});

describe('every frame of a distributor is the recorded line and is read back as it was', () => {
  test.each(serverFrames.map((frame) => [frame.frame === 'snapshot' ? `snapshot-${frame.type}` : frame.frame, frame] as const))('%s', (name, frame) => {
    expect(encodeFrame(frame)).toBe(golden(`server-${name}.ndjson`, encodeFrame(frame)));
    const judgedApart = frame.frame === 'snapshot' && frame.type !== 'table';
    expect(revealed(parseServerFrame(encodeFrame(frame)))).toEqual(revealed({ ok: true, value: judgedApart ? { ...frame, data: { ok: true, value: frame.data } } : frame }));
  });
});

test('a key comes back as a Secret, which prints nothing', () => {
  const read = parseServerFrame(encodeFrame({ frame: 'snapshot', type: 'keys', version: 'sha256:e2', nonce: '2', data: keys }));
  expect(JSON.stringify(read)).not.toContain('sample-key-of-openai');
  expect(JSON.stringify(read)).toContain('[redacted]');
});

test('names, limits and times of the wire are the recorded ones', () => {
  const { bearerToken, ...values } = names;
  expect(bearerToken('Bearer abc.def-g_h')).toBe('abc.def-g_h');
  const text = `${JSON.stringify({ ...values, readableSchemaVersions, writableSchemaVersions }, null, 2)}\n`;
  expect(text).toBe(golden('names.json', text));
});

test('the bootstrap ConfigMap is the recorded one and is read back as it was', () => {
  const bootstrap = { table, endpoints, certificates: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n' };
  const data = valueOf(encodeBootstrap(bootstrap));
  const text = `${JSON.stringify({ metadata: { name: names.bootstrapName }, data }, null, 2)}\n`;
  expect(text).toBe(golden('bootstrap.json', text));
  expect(parseBootstrap(data)).toEqual({ ok: true, value: bootstrap });
});

test('the environment of a sidecar is the recorded one', () => {
  const environment = {
    [names.sidecarVariables.distributor]: 'belay-distributor.belay-system.svc:7443',
    [names.sidecarVariables.chains]: 'support-chat,in-house',
    [names.sidecarVariables.podName]: 'shop-7d9f-x2x',
    [names.sidecarVariables.podUid]: '7c9f5a52-9a3a-4f5e-8a53-0c1d2e3f4a5b',
    [names.sidecarVariables.namespace]: 'default',
    [names.sidecarVariables.certificates]: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  };
  const text = `${JSON.stringify(environment, null, 2)}\n`;
  expect(text).toBe(golden('environment.json', text));
  expect(parseSidecarEnvironment(environment)).toEqual({ ok: true, value: {
    distributor: { host: 'belay-distributor.belay-system.svc', port: 7443 },
    chains: ['support-chat', 'in-house'],
    podName: 'shop-7d9f-x2x',
    podUid: '7c9f5a52-9a3a-4f5e-8a53-0c1d2e3f4a5b',
    namespace: 'default',
    certificates: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  } });
});

function golden(name: string, text: string): string {
  const file = join(goldens, 'wire', name);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  return readFileSync(file, 'utf8');
}

function valueOf<T>(read: Parsed<T>): T {
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value;
}

/** Two Secrets look equal whatever they hold: compares what they reveal. */
function revealed(value: unknown): unknown {
  if (value instanceof Secret) return { revealed: value.reveal() };
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, revealed(member)]));
}
