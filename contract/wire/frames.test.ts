import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RoutingTable } from '../routing-table.ts';
import { encodeBootstrap, parseBootstrap } from './bootstrap.ts';
import { encodeFrame, encodeSnapshot } from './encode-frame.ts';
import { frameReader } from './frame-reader.ts';
import { parseClientFrame } from './parse-client-frame.ts';
import { parseServerFrame } from './parse-server-frame.ts';
import { sharedSchemaVersion } from './schema-versions.ts';
import { selectChains } from './select-chains.ts';
import { parseSidecarEnvironment } from './sidecar-environment.ts';
import { bearerToken, maxNackLength } from './stream-names.ts';

const folder = join(import.meta.dirname, '../golden/wire');
const linesOf = (side: string) => readdirSync(folder).filter((name) => name.startsWith(`${side}-`)).map((name) => readFileSync(join(folder, name), 'utf8'));
const table = JSON.parse(readFileSync(join(folder, '../routing-table.json'), 'utf8')) as RoutingTable;
const hello = { frame: 'hello', pod: 'p', uid: 'u', chains: ['*'], have: { endpoints: null, keys: null, hints: null, table: null }, protocol: 1, schemaVersions: [1] };
const keysLine = (entry: object) => JSON.stringify({ frame: 'snapshot', type: 'keys', version: 'v', nonce: '1', data: [{ provider: 'openai', origin: 'https://api.openai.com', secret: 'sk-very-private', version: '1', ...entry }] });

describe('a bad line is refused in one sentence that never repeats it', () => {
  test.each([
    [parseClientFrame, '{"frame":"ack","nonce":"sk-very-private', '', 'a frame must be one line of JSON, and these 39 characters are not'],
    [parseClientFrame, '[]', '', 'a frame must be a JSON object, not a list'],
    [parseClientFrame, '{}', 'frame', 'must be a text that is not empty, not missing'],
    [parseClientFrame, '{"frame":"ack"}', 'nonce', 'must be a text that is not empty, not missing'],
    [parseClientFrame, JSON.stringify({ ...hello, chains: ['*', 'support'] }), 'chains', 'must be "*" alone, or names of chains, at least one'],
    [parseClientFrame, JSON.stringify({ ...hello, chains: [] }), 'chains', 'must be "*" alone, or names of chains, at least one'],
    [parseClientFrame, JSON.stringify({ ...hello, chains: 'support' }), 'chains', 'must be a list of texts, not another text'],
    [parseClientFrame, JSON.stringify({ ...hello, chains: Array.from({ length: 257 }, (_, nth) => `c${nth}`) }), 'chains', 'must list at most 256 names, not 257'],
    [parseClientFrame, JSON.stringify({ ...hello, schemaVersions: Array.from({ length: 33 }, (_, nth) => nth) }), 'schemaVersions', 'must list at most 32 versions, not 33'],
    [parseClientFrame, JSON.stringify({ ...hello, have: null }), 'have', 'must be an object, not null'],
    [parseClientFrame, JSON.stringify({ ...hello, protocol: -1 }), 'protocol', 'must be a whole number of at least 0, not another number'],
    [parseClientFrame, JSON.stringify({ frame: 'report', chains: [7] }), 'chains[0]', 'must be an object, not another number'],
    [parseServerFrame, '{"frame":"goaway","reconnectWithinMs":"soon"}', 'reconnectWithinMs', 'must be a whole number of at least 0, not another text'],
    [parseServerFrame, '{"frame":"snapshot","type":"table","version":"v","data":{}}', 'nonce', 'must be a text that is not empty, not missing'],
  ])('%p of %s', (parse, line, path, message) => {
    expect(parse(line)).toEqual({ ok: false, problems: [{ path, message }] });
  });
});

describe('bad data of a snapshot is refused with the nonce kept, and without the key', () => {
  test.each([
    ['an origin with a path', { origin: 'https://api.openai.com/v1' }, 'data[0].origin', 'must be scheme, host and port alone, such as https://api.example.com'],
    ['an origin with a user', { origin: 'https://sk-very-private@api.openai.com' }, 'data[0].origin', 'must be scheme, host and port alone, such as https://api.example.com'],
    ['a key with a line break', { secret: 'sk-very-private\n' }, 'data[0].secret', 'must be a text that a header can carry: visible ASCII without spaces'],
    ['a key that is no text', { secret: ['sk-very-private'] }, 'data[0].secret', 'must be a text that is not empty, not a list'],
  ])('%s', (_, entry, path, message) => {
    const read = parseServerFrame(keysLine(entry));
    expect(read).toMatchObject({ ok: true, value: { nonce: '1', data: { ok: false, problems: [{ path, message }] } } });
    expect(JSON.stringify(read)).not.toContain('sk-very-private');
  });

  test.each([
    ['keys', [{ provider: 'a', origin: 'https://a.example', secret: 'x', version: '1' }, { provider: 'a', origin: 'https://b.example', secret: 'y', version: '1' }], 'data', 'must name "a" once'],
    ['endpoints', [{ name: 'a', state: 'Ready', url: null }], 'data[0].url', 'must be the base URL of an endpoint that is Ready'],
    ['endpoints', [{ name: 'a', state: 'Ready', url: 'file:///etc' }], 'data[0].url', 'must be an http(s) URL without user, query or fragment'],
    ['hints', {}, 'data', 'must be a list, not an object'],
  ])('%s of %j', (type, data, path, message) => {
    expect(parseServerFrame(JSON.stringify({ frame: 'snapshot', type, version: 'v', nonce: '1', data }))).toMatchObject({ ok: true, value: { data: { ok: false, problems: [{ path, message }] } } });
  });
});

describe('what a later release adds is ignored', () => {
  test.each(['{"frame":"dance","steps":3}', '{"frame":"snapshot","type":"prompts","version":"v","nonce":"1","data":{}}'])('%s', (line) => {
    expect(parseServerFrame(line)).toEqual({ ok: true, value: null });
  });

  test.each([...linesOf('client').map((line) => [line, parseClientFrame] as const), ...linesOf('server').map((line) => [line, parseServerFrame] as const)])('unknown fields of %s', (line, parse) => {
    const newer = JSON.stringify(JSON.parse(line, (_, value: unknown) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value, fromALaterRelease: 1 } : value)));
    const read = parse(newer);
    expect(read.ok).toBe(true);
    if (!line.includes('"type":"table"')) expect(JSON.stringify(read)).not.toContain('fromALaterRelease');
  });
});

test('parsers take any text and any member without throwing', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
    expect(typeof parseClientFrame(line).ok).toBe('boolean');
    expect(typeof parseServerFrame(line).ok).toBe('boolean');
  }));
  fc.assert(fc.property(fc.constantFrom(...linesOf('client'), ...linesOf('server')), fc.nat(), fc.jsonValue(), (line, at, value) => {
    const frame = JSON.parse(line) as { [name: string]: unknown };
    const members = Object.keys(frame);
    frame[members[at % members.length] ?? 'frame'] = value;
    expect(typeof parseClientFrame(JSON.stringify(frame)).ok).toBe('boolean');
    expect(typeof parseServerFrame(JSON.stringify(frame)).ok).toBe('boolean');
  }));
});

test('an over-long refusal is cut, not refused', () => {
  const read = parseClientFrame(encodeFrame({ frame: 'nack', nonce: '1', error: 'x'.repeat(5_000) }));
  expect(read).toEqual({ ok: true, value: { frame: 'nack', nonce: '1', error: 'x'.repeat(maxNackLength) } });
});

describe('frames read from a stream', () => {
  const stream = linesOf('server').join('');
  const whole = linesOf('server').map((line) => parseServerFrame(line));
  const read = (chunks: readonly string[], max = 100_000) => {
    const push = frameReader(parseServerFrame, max);
    return chunks.flatMap((chunk) => push(chunk));
  };

  test('are the same however it is cut', () => {
    fc.assert(fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
      const at = [0, ...[...cuts].sort((a, b) => a - b), stream.length];
      expect(read(at.slice(1).map((end, index) => stream.slice(at[index], end)))).toEqual(whole);
    }), { numRuns: 50 });
  });

  test('a line that is too long costs itself alone, and is said once', () => {
    const long = { ok: false, problems: [{ path: '', message: 'a frame must be at most 40 characters long, and this one is longer' }] };
    const ping = { ok: true, value: { frame: 'ping' } };
    const line = `{"frame":"${'x'.repeat(50)}"}\n`;
    expect(read([`{"frame":"ping"}\n${line}{"frame":"ping"}\n`], 40)).toEqual([ping, long, ping]);
    expect(read([line.slice(0, 45), line.slice(45, 50), line.slice(50), '{"frame":"ping"}\n'], 40)).toEqual([long, ping]);
  });

  test('a frame without its line end is none; empty lines and unknown frames are nothing', () => {
    expect(read(['{"frame":"ping"}'])).toEqual([]);
    expect(read(['\n\r\n{"frame":"dance"}\n{"frame":"ping"}\r\n'])).toEqual([{ ok: true, value: { frame: 'ping' } }]);
  });
});

test('one resource is serialised once, whoever gets it', () => {
  let read = 0;
  const data = [{ name: 'a', state: 'Loading' as const, url: null, get detail() { read += 1; return 'x'; } }];
  const lines = ['1', '2', '3'].map((nonce) => encodeSnapshot({ type: 'endpoints', version: 'v', data }, nonce));
  expect(read).toBe(1);
  expect(lines.map((line) => (JSON.parse(line) as { nonce: string }).nonce)).toEqual(['1', '2', '3']);
});

test.each([[[1], [1], 1], [[1, 2, 3], [3, 4, 5], 3], [[4, 5], [3, 4, 5], 5], [[1], [3, 4, 5], null], [[], [1], null]])('of schema versions %j and %j both know %j', (readable, writable, shared) => {
  expect(sharedSchemaVersion(readable, writable)).toBe(shared);
});

describe('chains of a table', () => {
  const hash = (text: string) => `${text.length}`;

  test('those asked for come with their providers alone; one that is not there is left out', () => {
    const { chains, providers, namespace } = selectChains(table, ['rest', 'gone'], hash);
    expect([chains.map(({ name }) => name), providers.map(({ name }) => name), namespace]).toEqual([['rest'], ['openai'], 'default']);
  });

  test('all of them is the same content, whose version is not taken on trust', () => {
    const { version, ...content } = selectChains({ ...table, version: 'sha256:forged' }, ['*'], hash);
    expect({ ...content, version: table.version }).toEqual({ ...table, providers: expect.any(Array) });
    expect(version).not.toBe('sha256:forged');
  });

  test('where one goes on in its last good form every provider stays', () => {
    const stale = { ...table, chains: table.chains.map((chain) => (chain.name === 'rest' ? { ...chain, targets: [], unroutable: 'no target' } : chain)) };
    expect(selectChains(stale, ['rest'], hash).providers).toEqual(table.providers);
  });
});

describe('the bootstrap copy', () => {
  test.each([
    ['no table', {}, 'table.json', 'must be JSON as the operator writes it'],
    ['a table of another schema', { 'table.json': '{"schemaVersion":9}' }, 'table.json: schemaVersion', 'must be 1, the schema version that this release reads, not 9'],
    ['endpoints that are none', { 'table.json': JSON.stringify(table), 'endpoints.json': '{}' }, 'endpoints.json: data', 'must be a list, not an object'],
  ])('with %s is refused', (_, data, path, message) => {
    expect(parseBootstrap(data)).toEqual({ ok: false, problems: [{ path, message }] });
  });

  test('that is too large for a ConfigMap is refused with its size', () => {
    const written = encodeBootstrap({ table, endpoints: [], certificates: 'é'.repeat(500_000) });
    expect(written).toMatchObject({ ok: false, problems: [{ message: expect.stringMatching(/^the bootstrap copy of namespace default must be less than 921600 bytes, and is 100\d{4}: /) }] });
  });
});

describe('the environment of a sidecar', () => {
  const good = { BELAY_DISTRIBUTOR: 'belay.svc', BELAY_CHAINS: '*', BELAY_POD_NAME: 'p', BELAY_POD_UID: 'u', BELAY_POD_NAMESPACE: 'n' };

  test.each([
    ['BELAY_DISTRIBUTOR', '', 'must be set in the environment: the injection webhook sets it'],
    ['BELAY_POD_UID', undefined, 'must be set in the environment: the injection webhook sets it'],
    ['BELAY_DISTRIBUTOR', 'https://belay.svc', 'must be host:port, such as belay.belay-system.svc:7443, not "https://belay.svc"'],
    ['BELAY_DISTRIBUTOR', 'belay.svc:70000', 'must be host:port, such as belay.belay-system.svc:7443, not "belay.svc:70000"'],
    ['BELAY_CHAINS', '*,a', 'must be * alone, or names of chains separated by commas, at least one'],
    ['BELAY_CHAINS', ' , ', 'must be * alone, or names of chains separated by commas, at least one'],
  ])('%s of %j is refused', (path, value, message) => {
    expect(parseSidecarEnvironment({ ...good, [path]: value })).toEqual({ ok: false, problems: [{ path, message }] });
  });

  test.each([['belay.svc', 'belay.svc', 7443], ['10.0.0.1:8443', '10.0.0.1', 8443], ['[fd00::1]:8443', 'fd00::1', 8443]])('distributor %s', (text, host, port) => {
    expect(parseSidecarEnvironment({ ...good, BELAY_DISTRIBUTOR: text })).toMatchObject({ ok: true, value: { distributor: { host, port } } });
  });
});

test.each([['Bearer a.b', 'a.b'], ['bearer a.b', 'a.b'], ['Basic a', null], ['Bearer ', null], ['Bearer a b', null], [undefined, null]])('the token of %j is %j', (header, token) => {
  expect(bearerToken(header)).toBe(token);
});

test('a line that is wrong in a hundred thousand places is read no further than the first thousand', () => {
  const read = parseClientFrame(JSON.stringify({ frame: 'report', chains: Array(100_000).fill(1) }));
  expect(read.ok ? null : [read.problems.length, read.problems.at(-1)?.path]).toEqual([1_000, 'chains[999]']);
});
