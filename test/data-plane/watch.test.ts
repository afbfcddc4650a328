import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { until } from '../support/belay-process.ts';
import type { Outcome } from '../support/chat-outcome.ts';
import { readDecision } from '../support/read-decision.ts';
import { rigsOfTest, type Rig } from '../support/rig.ts';

jest.setTimeout(60_000);

const rigs = rigsOfTest();
let loads: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(loads.map((stop) => stop()));
  loads = [];
  await rigs.closeAll();
});

const order = (...names: readonly string[]): { readonly targets: readonly object[] } => ({ targets: names.map((name) => ({ name, providerRef: { name }, model: `model-of-${name}` })) });

/** Requests that go on until they are stopped, several at a time, half of them streamed. */
function load(rig: Rig, atOnce: number): { readonly answers: Outcome[]; stop(): Promise<void> } {
  const answers: Outcome[] = [];
  let over = false;
  const workers = Array.from({ length: atOnce }, async (_, index) => {
    while (!over) answers.push(await rig.ask({ stream: index % 2 === 0 }));
  });
  const stop = async (): Promise<void> => {
    over = true;
    await Promise.all(workers);
  };
  loads.push(stop);
  return { answers, stop };
}

const reloads = (rig: Rig): number => rig.belay.lines().filter(({ event }) => event === 'manifests-reloaded').length;

describe('--watch under load', () => {
  test('the table is swapped again and again: no request is lost, and none sees two tables', async () => {
    const rig = await rigs.open({ a: [{ say: 'Alpha one two three', pace: 5 }], b: [{ say: 'Bravo one two three', pace: 5 }], args: ['--watch'] });
    const { answers, stop } = load(rig, 8);
    const orders = [['b'], ['a', 'b'], ['b', 'a'], ['a']];
    for (const [index, names] of orders.entries()) {
      const served = answers.length;
      await until('requests are answered by this table', () => answers.length > served + 20);
      rig.belay.write(rig.manifests(order(...names)));
      await until('the change is served', () => reloads(rig) > index);
    }
    const served = answers.length;
    await until('requests are answered by the last table', () => answers.length > served + 20);
    await stop();

    const text = { a: 'Alpha one two three', b: 'Bravo one two three' } as const;
    const versions = new Map<string, Set<string>>();
    for (const answer of answers) {
      const target = answer.headers['x-belay-target'] as 'a' | 'b';
      expect(answer).toMatchObject({ status: 200, text: text[target] });
      expect(['normal', 'json']).toContain(answer.end);
      expect(answer.models).toEqual([`model-of-${target}`]);
    }
    for (const answer of answers.slice(-200)) {
      const decision = await readDecision(rig.belay.origin, answer.headers);
      if (decision === null) continue;
      expect(decision.attempts.map(({ target }) => target)).toEqual([decision.target]);
      versions.set(decision.tableVersion, (versions.get(decision.tableVersion) ?? new Set()).add(String(decision.target)));
    }
    // Each table starts with one target: had a request seen two tables, its version would go with both.
    expect([...versions.values()].map((targets) => targets.size)).toEqual([...versions.values()].map(() => 1));
    expect(versions.size).toBeGreaterThan(1);
    expect(answers.at(-1)?.headers['x-belay-target']).toBe('a');
  });

  test('a stream that is under way ends as it began, by the target that the new table no longer has', async () => {
    const rig = await rigs.open({ a: [{ sse: [{ role: true }, { repeat: 40, items: [{ text: 'word ' }, { wait: 25 }] }, { finish: 'stop' }, { done: true }] }], args: ['--watch'] });
    const running = rig.ask({ stream: true });
    await until('it streams', () => rig.a.requests.length === 1);
    rig.belay.write(rig.manifests(order('b')));
    await until('the change is served', () => reloads(rig) === 1);
    expect(await rig.ask()).toMatchObject({ text: 'Bravo one two three' });
    expect(await running).toMatchObject({ text: 'word '.repeat(40), end: 'normal', headers: { 'x-belay-target': 'a' } });
  });

  test.each<[string, (rig: Rig) => string | readonly object[], RegExp]>([
    ['does not parse', () => 'apiVersion: [', /manifests\.yaml:1/],
    ['has an unknown field', (rig) => rig.manifests({ ...order('a'), latencyBuget: '2s' }), /latencyBuget.*latencyBudget/],
    ['names a provider that does not exist', (rig) => rig.manifests({ targets: [{ providerRef: { name: 'nobody' }, model: 'm' }] }), /nobody/],
  ])('a change that %s is said, with its place, and what was served is served on', async (_title, change, said) => {
    const rig = await rigs.open({ a: [{ say: 'Alpha' }], args: ['--watch'] });
    const { answers, stop } = load(rig, 2);
    rig.belay.write(change(rig) as string);
    await until('it is said', () => rig.belay.lines().some(({ level, message }) => level !== 'info' && said.test(message)));
    const served = answers.length;
    await until('requests are still answered', () => answers.length > served + 5);
    await stop();
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, text: 'Alpha' });
  });
});
