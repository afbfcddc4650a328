import { describe, expect, test } from '@jest/globals';
import { environmentChange } from './application-environment.ts';
import type { Injection } from './parse-injection.ts';
import type { EnvironmentVariable } from './pod.ts';

const url = { name: 'OPENAI_BASE_URL', value: 'http://127.0.0.1:7411/v1' };
const key = { name: 'OPENAI_API_KEY', value: 'belay' };
const proxy = { name: 'HTTP_PROXY', value: 'http://proxy:3128' };
const secret = { valueFrom: { secretKeyRef: { name: 's', key: 'k' } } };
const elsewhere = expect.stringContaining('container app sets OPENAI_BASE_URL itself, so its requests pass the sidecar by');
const loopback = '127.0.0.1,localhost';

interface Expected { readonly added?: readonly EnvironmentVariable[]; readonly replaced?: readonly { readonly index: number; readonly value: string }[]; readonly notices?: readonly unknown[] }

describe('a container', () => {
  test.each<[string, readonly EnvironmentVariable[], Expected]>([
    ['without variables is led to the sidecar', [], { added: [url, key] }],
    ['with a key of its own keeps it', [{ name: key.name, ...secret }], { added: [url] }],
    ['with an address of its own is left alone, its key too, and told of', [{ name: url.name, value: 'https://llm.example/v1' }], { notices: [elsewhere] }],
    ['with an address from a Secret is left alone, and told of', [{ name: url.name, ...secret }], { notices: [elsewhere] }],
    ['with another port of loopback is left alone, and told of', [{ name: url.name, value: 'http://localhost:74110/v1' }], { notices: [elsewhere] }],
    ['that names the sidecar itself gets a key', [url], { added: [key] }],
    ['that spells the sidecar\'s address otherwise gets a key', [{ name: url.name, value: 'http://localhost:7411/v1/' }], { added: [key] }],
    ['with an empty address is led to the sidecar', [{ name: url.name, value: '' }], { added: [key], replaced: [{ index: 0, value: url.value }] }],
    ['with an address without a value, as an API server hands an empty one on, too', [{ name: 'MODE', value: 'a' }, { name: url.name }, { name: key.name, value: ' ' }], { replaced: [{ index: 1, value: url.value }, { index: 2, value: key.value }] }],
    ['with an address twice has the last one count', [{ name: url.name }, { name: url.name, value: 'https://llm.example/v1' }], { notices: [elsewhere] }],
    ['with an https proxy alone reaches loopback anyway', [url, key, { name: 'HTTPS_PROXY', value: 'http://proxy' }], {}],
    ['with a proxy gets exceptions from it', [url, key, proxy], { added: [{ name: 'NO_PROXY', value: loopback }, { name: 'no_proxy', value: loopback }] }],
    ['with exceptions keeps them, in both spellings', [url, key, proxy, { name: 'no_proxy', value: '.svc' }], { added: [{ name: 'NO_PROXY', value: `.svc,${loopback}` }], replaced: [{ index: 3, value: `.svc,${loopback}` }] }],
    ['with half of the exceptions gets the other', [url, key, { name: 'no_proxy', value: 'localhost' }, { name: 'NO_PROXY', value: '' }, { name: 'all_proxy', value: 'x' }],
      { replaced: [{ index: 2, value: 'localhost,127.0.0.1' }, { index: 3, value: loopback }] }],
    ['with every exception has enough', [url, key, proxy, { name: 'no_proxy', value: '*' }, { name: 'NO_PROXY', value: 'localhost, 127.0.0.1' }], {}],
    ['with an empty proxy has none', [url, key, { name: 'HTTP_PROXY', value: '' }, { name: 'no_proxy', value: '.svc' }], {}],
    ['with exceptions but no proxy is left alone', [url, key, { name: 'NO_PROXY', value: '.svc' }], {}],
    ['with exceptions from a Secret is told of', [url, key, proxy, { name: 'NO_PROXY', ...secret }], { notices: [expect.stringContaining('add 127.0.0.1,localhost to its NO_PROXY')] }],
  ])('%s', (_, env, expected) => {
    expect(environmentChange({ name: 'app', env }, 'WithoutEnvFrom')).toEqual({ added: [], replaced: [], notices: [], ...expected });
  });

  test.each<[string, Injection['environment'], readonly EnvironmentVariable[], Expected]>([
    ['is not led to the sidecar, and is told of', 'WithoutEnvFrom', [], { notices: [expect.stringContaining('container app takes variables from envFrom, so OPENAI_BASE_URL was not set'), expect.stringContaining('may take a proxy')] }],
    ['that names the sidecar itself is led to it already', 'WithoutEnvFrom', [url, { name: 'no_proxy', value: '*' }], {}],
    ['with another address, which wins over envFrom, is told of that', 'WithoutEnvFrom', [{ name: url.name, value: 'https://llm.example' }, { name: 'no_proxy', value: '*' }], { notices: [elsewhere] }],
    ['is led to it where the annotation says so', 'All', [{ name: 'no_proxy', value: loopback }], { added: [url, key] }],
    ['is left alone where the annotation says so', 'None', [proxy], {}],
    ['with a proxy keeps exceptions that may stand there', 'All', [url, key, proxy], { notices: [expect.stringContaining('may take a proxy')] }],
    ['with a proxy and exceptions has those extended', 'All', [url, key, proxy, { name: 'NO_PROXY', value: 'a' }], { replaced: [{ index: 3, value: `a,${loopback}` }], notices: [expect.stringContaining('may take a proxy')] }],
    ['with a proxy and both exceptions hides nothing', 'All', [url, key, proxy, { name: 'NO_PROXY', value: 'a' }, { name: 'no_proxy', value: '*' }], { replaced: [{ index: 3, value: `a,${loopback}` }] }],
  ])('with envFrom %s', (_, mode, env, expected) => {
    expect(environmentChange({ name: 'app', env, envFrom: [{}] }, mode)).toEqual({ added: [], replaced: [], notices: [], ...expected });
  });
});
