import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';

const program = join(import.meta.dirname, '..', '..', 'scripts', 'kubernetes', 'with-api-server.ts');
const script = (then: string): string => `
  const { startApiServer } = await import(${JSON.stringify(`file://${program}`)});
  const server = await startApiServer();
  console.log(JSON.stringify({ kubeconfig: server.kubeconfig, url: server.url }));
  ${then}`;

/** Starts an API server in a process of its own, which then does `then`; resolves when that process has ended. */
async function startElsewhere(then: string): Promise<{ readonly folder: string; readonly url: string }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script(then)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { output += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { errors += text; });
  await new Promise((resolve) => child.once('exit', resolve));
  if (output === '') throw new Error(errors);
  const { kubeconfig, url } = JSON.parse(output) as { readonly kubeconfig: string; readonly url: string };
  return { folder: dirname(kubeconfig), url };
}

async function comesTrue(what: () => boolean | Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    if (await what()) return true;
    await sleep(50);
  }
  return false;
}

const refuses = (url: string): Promise<boolean> => fetch(url).then(() => false, (error: Error) => String((error.cause as Error | undefined)?.message).includes('ECONNREFUSED'));

test.each([
  ['closes it', 'await server.close();'],
  ['forgets it', ''],
  ['crashes', "process.kill(process.pid, 'SIGKILL');"],
])('an API server leaves neither a process nor a file behind when whoever started it %s', async (_sentence, then) => {
  const { folder, url } = await startElsewhere(then);
  expect(await comesTrue(() => !existsSync(folder))).toBe(true);
  expect(await comesTrue(() => refuses(url))).toBe(true);
}, 60_000);

test('two API servers run side by side', async () => {
  const [one, other] = await Promise.all([startElsewhere('await server.close();'), startElsewhere('await server.close();')]);
  expect(one.url).not.toBe(other.url);
}, 120_000);
