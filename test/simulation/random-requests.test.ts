import { expect, test } from '@jest/globals';
import { brokenInvariants } from './check-invariants.ts';
import { describeRun } from './describe-run.ts';
import { randomRequest } from './random-request.ts';
import { runVirtual, type VirtualRun } from './run-virtual.ts';

/** BELAY_SIMULATION_SEED=n replays one request; BELAY_SIMULATION_RUNS=n plays so many, from seed 1 on. */
const onlySeed = wholeNumber('BELAY_SIMULATION_SEED');
const runs = wholeNumber('BELAY_SIMULATION_RUNS') ?? 10_000;
const seeds = onlySeed === null ? Array.from({ length: runs }, (_, nth) => nth + 1) : [onlySeed];

function wholeNumber(name: string): number | null {
  const text = process.env[name] ?? '';
  if (text === '') return null;
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new Error(`${name} must be a whole number of at least 1, not ${JSON.stringify(text)}`);
  return Number(text);
}

function play(seed: number): { run: VirtualRun; broken: string[]; told: () => string } {
  const { plan, world } = randomRequest(seed);
  const run = runVirtual(plan, world);
  const told = (): string => `BELAY_SIMULATION_SEED=${seed} replays it:\n${describeRun(plan, run).join('\n')}\nplan ${JSON.stringify(plan)}`;
  return { run, broken: brokenInvariants(plan, run, world.clientLeavesAtMs), told };
}

test(`the invariants hold in ${seeds.length} random races and sequences`, () => {
  for (const seed of seeds) {
    const { broken, told } = play(seed);
    if (broken.length > 0) throw new Error(`${broken.join('\n')}\n${told()}`);
  }
  if (onlySeed !== null) process.stdout.write(`${play(onlySeed).told()}\n`);
}, 60_000);

test('a seed replays to the same request, event by event', () => {
  for (const seed of seeds.slice(0, 200)) expect(play(seed).run).toEqual(play(seed).run);
});

test('the random requests see every kind of end and of start', () => {
  if (seeds.length < 1_000) return;
  const seen = new Set<string>();
  for (const seed of seeds.slice(0, 1_000)) {
    for (const { effects } of play(seed).run.moments) {
      for (const effect of effects) {
        if (effect.type === 'finish') seen.add(effect.ending.type);
        if (effect.type === 'start-attempt') seen.add(effect.role);
        if (effect.type === 'poll-ready') seen.add('poll');
      }
    }
  }
  expect([...seen].sort()).toEqual(['Fallback', 'Hedge', 'Primary', 'Probe', 'Retry', 'Wait', 'answered', 'broken', 'client-gone', 'failed', 'poll']);
});
