// `npm run bench [-- --rounds N] [--quick] [--only speed|failover] [--out FILE]`: what Belay costs beside a direct call and
// the least that a proxy in Node costs, and how fast it falls back. Ratios are taken within a round; the order turns every second.
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs, styleText } from 'node:util';
import { measureFailover, measureSpeed, startUpstreams, type Pace, type Upstreams } from '../bench/measure.ts';
import { describePinning } from '../bench/processes.ts';
import { reportTables, type Round } from '../bench/report.ts';
import { patientNames, targetNames, type TargetName } from '../bench/targets.ts';
import { setUp } from './setup-parts.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, quick: { type: 'boolean', default: false }, only: { type: 'string' }, out: { type: 'string' } } });
const pace: Pace = values.quick ? { open: 3, closed: 2 } : { open: 10, closed: 5 };
const count = values.quick ? 1 : Number(values.rounds);

if (process.platform !== 'linux') {
  console.error(`The bench reads CPU and memory from /proc, and this is ${process.platform}: run it on Linux.`);
  process.exit(1);
}
await setUp('build', console.log);
const upstreams = await startUpstreams();
const rounds: Round[] = [];
try {
  for (let index = 0; index < count; index++) rounds.push(await measureRound(upstreams, index));
} finally {
  await upstreams.close();
}
const about = `${new Date().toISOString().slice(0, 16)}Z, Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), ${count} ${count === 1 ? 'round' : 'rounds'}, `
  + `load average at the start of each ${rounds.map(({ load }) => load.toFixed(1)).join(', ')}; ${describePinning()}.`;
const report = `${about}\n\n${reportTables(rounds)}`;
console.log(`\n${report}`);
if (values.out !== undefined) writeFileSync(values.out, `# What Belay costs\n\nMeasured by \`npm run bench\`. Median over rounds [lowest..highest].\n\n${report}`);

async function measureRound(running: Upstreams, index: number): Promise<Round> {
  const round = { load: loadavg()[0] ?? 0, speed: new Map(), failover: new Map() };
  const order = index % 2 === 0 ? targetNames : [...targetNames].reverse();
  if (values.only !== 'failover') await inOrder(order, index, 'speed', async (name) => round.speed.set(name, await measureSpeed(name, running, pace)));
  else for (const name of targetNames) round.speed.set(name, undefined);
  if (values.only !== 'speed') await inOrder(order.filter((name) => patientNames.includes(name)), index, 'failover', async (name) => round.failover.set(name, await measureFailover(name, running)));
  return { ...round, speed: sorted(round.speed), failover: sorted(round.failover) };
}

async function inOrder(names: readonly TargetName[], index: number, what: string, measure: (name: TargetName) => Promise<unknown>): Promise<void> {
  for (const name of names) {
    const startedMs = performance.now();
    await measure(name);
    console.log(styleText('dim', `round ${index + 1}  ${what.padEnd(8)}  ${name.padEnd(8)}  ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`));
  }
}

function sorted<T>(by: ReadonlyMap<TargetName, T>): ReadonlyMap<TargetName, T> {
  return new Map(targetNames.flatMap((name) => (by.has(name) ? [[name, by.get(name) as T] as const] : [])));
}
