import { expect, test } from '@jest/globals';
import { parseRunOptions, type RawRunOptions } from './run-options.ts';

const parse = (raw: RawRunOptions, env: NodeJS.ProcessEnv = {}) => {
  const result = parseRunOptions(raw, env);
  return result.ok ? result.value : result.problems.map(({ path, message }) => `${path} ${message}`);
};

test('without options serves loopback on 7411, with probes on the next port', () => {
  expect(parse({})).toEqual({ paths: [], namespace: null, address: '127.0.0.1', port: 7411, adminPort: 7412, modelDir: null, watch: false, faults: [], allowOrigins: [], clientKey: null });
});

test.each<[string, RawRunOptions, object]>([
  ['the admin port follows the port', { port: '9000' }, { port: 9000, adminPort: 9001 }],
  ['any free port means two free ports', { port: '0' }, { port: 0, adminPort: 0 }],
  ['an admin port of its own', { port: '9000', adminPort: '0' }, { port: 9000, adminPort: 0 }],
  ['::1 is loopback', { listen: '[::1]' }, { address: '::1' }],
  ['localhost is loopback', { listen: 'localhost' }, { address: '127.0.0.1' }],
  ['an origin loses its slash', { allowOrigin: ['http://localhost:3000/'] }, { allowOrigins: ['http://localhost:3000'] }],
])('%s', (_sentence, raw, expected) => {
  expect(parse(raw)).toMatchObject(expected);
});

test.each<[string, RawRunOptions, string]>([
  ['a port that is none', { port: '99999' }, '--port must be a port from 0 (any free one) to 65535, not "99999"'],
  ['a word for a port', { adminPort: 'x' }, '--admin-port must be a port'],
  ['one port for both', { port: '9000', adminPort: '9000' }, '--admin-port must differ from --port 9000'],
  ['no next port', { port: '65535' }, '--admin-port must be given with --port 65535'],
  ['listening for others without a key', { listen: '0.0.0.0' }, '--listen 0.0.0.0 can be reached from elsewhere: set BELAY_CLIENT_KEY'],
  ['a host name to listen on', { listen: 'example.org' }, '--listen must be an IP address'],
  ['a fault that is none', { fault: ['a=teapot'] }, '--fault knows no fault "teapot"'],
  ['watching nothing', { watch: true }, '--watch needs -f'],
  ['watching standard input', { watch: true, file: ['-'] }, '--watch needs -f'],
  ['an origin with a path', { allowOrigin: ['http://localhost/app'] }, '--allow-origin must be an origin'],
  ['an origin without a scheme', { allowOrigin: ['localhost:3000'] }, '--allow-origin must be an origin'],
])('%s is refused', (_sentence, raw, message) => {
  expect(parse(raw)).toEqual([expect.stringContaining(message)]);
});

test('listens for others once applications must send a key, which never prints', () => {
  const options = parse({ listen: '0.0.0.0' }, { BELAY_CLIENT_KEY: ' secret-key\n' });
  expect(options).toMatchObject({ address: '0.0.0.0' });
  expect(Array.isArray(options) ? null : options.clientKey?.reveal()).toBe('secret-key');
  expect(JSON.stringify(options)).not.toContain('secret-key');
});
