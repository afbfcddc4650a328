import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { belayCommand, startBelay, until, type BelayProcess } from '../support/belay-process.ts';
import { chainManifest, manifestText, providerManifests } from '../support/manifests.ts';

jest.setTimeout(60_000);

const nowhere = { preset: 'VLLM', baseURL: 'http://127.0.0.1:9/v1' };
const chain = chainManifest('chat', { targets: [{ providerRef: { name: 'up' }, model: 'm' }] });
const provider = providerManifests({ name: 'up', spec: nowhere });
const good = manifestText([chain, ...provider]);

let folder = '';
let taken: Server;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'belay-run-'));
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  taken.close();
  rmSync(folder, { recursive: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A whole run of the command that is expected to end by itself. */
function belay(args: readonly string[], env: { readonly [name: string]: string } = {}, input = ''): Promise<Ended> {
  const [program = '', ...before] = belayCommand;
  const child = spawn(program, [...before, ...args], { env: { PATH: process.env['PATH'], ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
  child.stdin.end(input);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

function file(text: string, name = 'manifests.yaml'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('the command line', () => {
  test('says its version', async () => {
    expect(await belay(['--version'])).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' });
  });

  test.each<[string, readonly string[], RegExp]>([
    ['an unknown option', ['run', '--prot', '1'], /^belay: unknown option '--prot' \(did you mean --port\?\)\n$/],
    ['an unknown command', ['rnu'], /^belay: unknown command 'rnu' \(did you mean run\?\)\n$/],
    ['an option without its value', ['run', '-f'], /^belay: option '-f, --file <path...>' argument missing\n$/],
    ['a port that is none', ['run', '-f', '.', '--port', 'x'], /^belay run: --port: must be a port from 0/],
    ['a fault that is none', ['run', '-f', '.', '--fault', 'up=teapot'], /^belay run: --fault: knows no fault "teapot"/],
    ['--listen without a client key', ['run', '-f', '.', '--listen', '0.0.0.0'], /BELAY_CLIENT_KEY/],
    ['neither manifests nor keys', ['run'], /^belay run: say with -f DIR where the manifests are, or set a provider's key to start with: OPENAI_API_KEY, .*\n$/],
  ])('%s is a usage error of one sentence', async (_sentence, args, message) => {
    const { code, stderr } = await belay(args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});

describe('belay run that can never serve ends with 1 and one sentence', () => {
  const port = (): string => String((taken.address() as AddressInfo).port);
  test.each<[string, () => readonly string[], RegExp]>([
    ['a port in use', () => ['-f', file(good), '--port', port(), '--admin-port', '0'], /^port \d+ is in use: choose another with --port, or --port 0 for any free one\n$/],
    ['an admin port in use', () => ['-f', file(good), '--port', '0', '--admin-port', port()], /^port \d+ is in use: choose another with --admin-port/],
    ['a directory that is not there', () => ['-f', join(folder, 'none'), '--port', '0'], /none: error: .*none does not exist/],
    ['a manifest that breaks a rule', () => ['-f', file(manifestText([{ ...chain, spec: { targets: [] } }, ...provider]), 'bad.yaml'), '--port', '0'], /bad\.yaml:\d+:\d+: error: spec\.targets: /],
    ['no chain', () => ['-f', file(manifestText(provider)), '--port', '0'], /the manifests hold no FallbackChain/],
    ['a namespace without chains', () => ['-f', file(manifestText([{ ...chain, metadata: { name: 'chat', namespace: 'support' } }])), '-n', 'other', '--port', '0'], /namespace other has no FallbackChain; those that have: support/],
    ['a chain whose only provider is not there', () => ['-f', file(manifestText([chain])), '--port', '0'], /ProviderNotFound[^]*chain chat cannot be served/],
    ['a fault on a target that no chain has', () => ['-f', file(good), '--port', '0', '--fault', 'opus=500'], /^--fault: no chain has a target opus; the targets are up\n$/],
  ])('%s', async (_sentence, args, message) => {
    const { code, stderr } = await belay(['run', ...args()]);
    expect(stderr.split('\n').filter((line) => !line.includes('"level":"info"')).join('\n')).toMatch(message);
    expect(code).toBe(1);
  });
});

describe('belay run', () => {
  let running: BelayProcess | null = null;
  afterEach(async () => {
    await running?.close();
    running = null;
  });

  test('without -f prints manifests to start from, which a second run takes as they are', async () => {
    const [program = '', ...before] = belayCommand;
    const child = spawn(program, [...before, 'run', '--port', '0', '--admin-port', '0'], { env: { PATH: process.env['PATH'], OPENAI_API_KEY: 'sk-test-1', GROQ_API_KEY: 'gsk-test-2' } });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
    child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
    await until('it serves', () => stderr.includes('serving-started'));
    child.kill('SIGTERM');
    await new Promise((resolve) => child.on('close', resolve));
    expect(stdout).toMatch(/kind: FallbackChain[^]*name: openai[^]*name: groq/);
    expect(stdout + stderr).not.toMatch(/sk-test-1|gsk-test-2/);
    expect(await belay(['validate', '-f', file(stdout, 'starter.yaml')])).toMatchObject({ code: 0 });
  });

  test('a key that is missing is said at the start, and the other targets are served', async () => {
    const keyed = { apiVersion: 'belay.dev/v1alpha1', kind: 'ModelProvider', metadata: { name: 'openai' }, spec: { preset: 'OpenAI', credentials: { secretKeyRef: { name: 'openai', key: 'apiKey' } } } };
    const both = chainManifest('chat', { targets: [{ providerRef: { name: 'openai' }, model: 'm' }, { providerRef: { name: 'up' }, model: 'm' }] });
    running = await startBelay({ manifests: [both, keyed, ...provider], env: { OPENAI_API_KEY: '' } });
    expect(running.lines().find(({ event }) => event === 'manifest-warned')?.message).toMatch(/manifests\.yaml:\d+:\d+: warning: spec\.credentials\.secretKeyRef\.name: provider openai has no key.* set OPENAI_API_KEY or BELAY_KEY_OPENAI/);
  });

  test('says loudly that faults are on', async () => {
    running = await startBelay({ manifests: [chain, ...provider], args: ['--fault', 'up=500@50%'] });
    expect(running.lines().find(({ event }) => event === 'faults-enabled')).toMatchObject({ level: 'warn', message: expect.stringMatching(/^FAULTS ARE ON.*up answers 500 in 50% of attempts/) });
  });

  test('with --listen for others serves whoever sends the client key, and nobody else', async () => {
    running = await startBelay({ manifests: [chain, ...provider], args: ['--listen', '0.0.0.0'], env: { BELAY_CLIENT_KEY: 'client-key-1' } });
    const models = (headers: { readonly [name: string]: string }): Promise<Response> => fetch(`${running?.baseUrl}/models`, { headers });
    expect((await models({})).status).toBe(401);
    expect((await models({ authorization: 'Bearer client-key-1' })).status).toBe(200);
    expect(running.output()).not.toContain('client-key-1');
  });

  test('reads manifests from standard input', async () => {
    const [program = '', ...before] = belayCommand;
    const child = spawn(program, [...before, 'run', '-f', '-', '--port', '0', '--admin-port', '0'], { env: { PATH: process.env['PATH'] } });
    child.stdin.end(good);
    let stderr = '';
    child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
    await until('it serves', () => stderr.includes('serving-started'));
    child.kill('SIGTERM');
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
  });
});
