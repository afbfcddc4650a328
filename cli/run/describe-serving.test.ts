import { expect, test } from '@jest/globals';
import type { ChainEntry } from '@belay/contract';
import { coloursFor } from './colours.ts';
import { describeServing, type Serving } from './describe-serving.ts';

const target = { name: 'opus', provider: 'a', model: 'claude-opus-4-8', tier: 'Primary', contextTokens: null, suspended: false } as const;
const chain: ChainEntry = {
  name: 'chat', modelNames: ['chat', 'gpt-4o', '*'], fallbackMode: 'Race', latencyBudgetMs: 2_000, deadlineMs: 600_000, retries: 1, egress: 'Any',
  targets: [target, { ...target, name: 'local', model: '*' }, { ...target, name: 'qwen', model: 'qwen', suspended: true }],
  race: { prefer: 'Primary', hedgeDelayMs: null, extraRequests: 0.05 }, rateLimitWaitUpToMs: 0, unroutable: null,
};
const describe = (over: Partial<Serving> = {}, chains: readonly ChainEntry[] = [chain]): string => describeServing({
  version: '0.1.0', table: { schemaVersion: 1, version: 'v', namespace: 'support', providers: [], chains }, address: '127.0.0.1', port: 7411, adminPort: 7412, keyed: false, ...over,
}, coloursFor({}, { NO_COLOR: '1' }));

test('says what leads where, and the lines to try next', () => {
  expect(describe()).toBe(`Belay 0.1.0 serves namespace support at http://127.0.0.1:7411/v1 (probes and metrics on 7412)
  chat, gpt-4o, any other name  opus (claude-opus-4-8) > local > qwen, suspended  Race, 2 s to first content

  export OPENAI_BASE_URL=http://127.0.0.1:7411/v1
  curl http://127.0.0.1:7411/v1/chat/completions -H 'content-type: application/json' -d '{"model":"chat","messages":[{"role":"user","content":"Say hello."}]}'

`);
});

test('a chain that cannot be served says why, and the curl line asks for one that can', () => {
  const text = describe({}, [{ ...chain, name: 'bad', modelNames: ['bad'], targets: [], unroutable: 'no target resolves' }, chain]);
  expect(text).toContain('  bad  cannot be served: no target resolves\n');
  expect(text).toContain('{"model":"chat"');
});

test.each([['0.0.0.0', 'http://127.0.0.1:7411/v1'], ['::', 'http://127.0.0.1:7411/v1'], ['::1', 'http://[::1]:7411/v1'], ['10.0.0.5', 'http://10.0.0.5:7411/v1']])('listening on %s is reached at %s', (address, url) => {
  expect(describe({ address })).toContain(`export OPENAI_BASE_URL=${url}\n`);
});

test('with a client key the curl line sends it, by its variable', () => {
  expect(describe({ keyed: true })).toContain(' -H "authorization: Bearer $BELAY_CLIENT_KEY" ');
});

test.each<[string, boolean, NodeJS.ProcessEnv, boolean]>([
  ['a terminal', true, {}, true], ['a file', false, {}, false], ['NO_COLOR', true, { NO_COLOR: '1' }, false],
  ['FORCE_COLOR', false, { FORCE_COLOR: '1' }, true], ['a dumb terminal', true, { TERM: 'dumb' }, false],
])('colours on %s: %p, %p gives %p', (_name, isTTY, env, painted) => {
  expect(coloursFor({ isTTY }, env).bold('x') !== 'x').toBe(painted);
});
