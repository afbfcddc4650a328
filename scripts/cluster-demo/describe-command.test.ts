import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { describeCommand } from './describe-command.ts';

test.each<[string, readonly string[], string]>([
  ['plain words stay as they are', ['kubectl', '-n', 'belay-demo', 'get', 'fbchain,mprov'], 'kubectl -n belay-demo get fbchain,mprov'],
  ['what a shell would read otherwise is quoted', ['kubectl', 'exec', '--', 'ask', "It's 5 o'clock."], String.raw`kubectl exec -- ask 'It'\''s 5 o'\''clock.'`],
  ['a long one has a line for each option', ['helm', 'install', 'belay', '--namespace', 'n'.repeat(60), '--set', 'a='.padEnd(50, 'x')], `helm install belay \\\n      --namespace ${'n'.repeat(60)} \\\n      --set ${'a='.padEnd(50, 'x')}`],
])('%s', (_, words, typed) => {
  expect(describeCommand(words)).toBe(typed);
});

test('a shell makes the same words of it', () => {
  const text = fc.string({ maxLength: 80 }).map((word) => word.replaceAll('\0', '')).filter((word) => !word.includes('\n'));
  fc.assert(fc.property(fc.array(text, { maxLength: 4 }), (words) => {
    const printed = execFileSync('sh', ['-c', describeCommand(['printf', String.raw`%s\n`, '--', ...words])], { encoding: 'utf8' });
    expect(printed).toBe(['--', ...words].map((word) => `${word}\n`).join(''));
  }), { numRuns: 50 });
});
