import type { Asked } from './ask-once.ts';
import type { Failover, Speed } from './measure.ts';
import { targetNotes, type TargetName } from './targets.ts';

/** Figures of one round: every target measured within the same minutes. */
export interface Round {
  /** Load average when it began. */
  readonly load: number;
  readonly speed: ReadonlyMap<TargetName, Speed>;
  readonly failover: ReadonlyMap<TargetName, { readonly [fault: string]: Failover }>;
}

type Figure = (own: Speed, direct: Speed, floor: Speed | undefined) => number | null;

const added = (read: (speed: Speed) => number | undefined): Figure => (own, direct) => (own === direct ? null : difference(read(own), read(direct)));
const ratio = (read: (speed: Speed) => number | null): Figure => (own, _direct, floor) => (floor === undefined || floor === own ? null : quotient(read(own), read(floor)));

const rows: readonly (readonly [string, Figure])[] = [
  ['added latency p50, ms (25 requests/s)', added(({ unary }) => unary.latencyMs?.p50)],
  ['added latency p99, ms', added(({ unary }) => unary.latencyMs?.p99)],
  ['added time to first content p50, ms (6 streams/s)', added(({ streamed }) => streamed.firstContentMs?.p50)],
  ['added time to first content p99, ms', added(({ streamed }) => streamed.firstContentMs?.p99)],
  ['added delay of a chunk p50, µs', added(({ streamed }) => streamed.chunkDelayMicros?.p50)],
  ['CPU of a request, µs (32 at once)', ({ cpuMicrosPerRequest }) => cpuMicrosPerRequest],
  ['… as a multiple of the floor', ratio(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest)],
  ['CPU of a streamed chunk, µs (40 streams, 10 ms apart)', ({ cpuMicrosPerChunk }) => cpuMicrosPerChunk],
  ['… as a multiple of the floor', ratio(({ cpuMicrosPerChunk }) => cpuMicrosPerChunk)],
  ['requests/s, 32 at once', ({ requestsPerSecond }) => requestsPerSecond],
  ['RSS idle, MiB', ({ idleRssMiB }) => idleRssMiB],
  ['… of it anonymous, MiB', ({ idleAnonymousMiB }) => idleAnonymousMiB],
  ['RSS loaded (peak), MiB', ({ loadedRssMiB }) => loadedRssMiB],
  ['… of it anonymous, MiB', ({ loadedAnonymousMiB }) => loadedAnonymousMiB],
  ['start to first answer, ms', ({ startMs }) => startMs],
  ['answers that were not whole, all loads', ({ lost }) => lost],
];

/** Both tables in Markdown: median over the rounds, and [lowest..highest] where there are several. */
export function reportTables(rounds: readonly Round[]): string {
  const names = [...(rounds[0]?.speed.keys() ?? [])];
  const notes = names.map((name) => `- **${name}**: ${targetNotes[name]}`).join('\n');
  return `${notes}\n\n${speedTable(rounds, names)}\n\n${failoverTable(rounds, [...(rounds[0]?.failover.keys() ?? [])])}\n`;
}

function speedTable(rounds: readonly Round[], names: readonly TargetName[]): string {
  const lines = rows.map(([title, figure]) => [title, ...names.map((name) => cell(rounds.map(({ speed }) => {
    const [own, direct] = [speed.get(name), speed.get('direct')];
    return own === undefined || direct === undefined ? null : figure(own, direct, speed.get('floor'));
  })))]);
  return table(['', ...names], lines.filter((cells) => cells.slice(1).some((text) => text !== '-')));
}

function failoverTable(rounds: readonly Round[], names: readonly TargetName[]): string {
  const faults = Object.keys(rounds[0]?.failover.values().next().value ?? {});
  const lines = faults.flatMap((fault) => {
    const of = (name: TargetName): readonly Failover[] => rounds.flatMap(({ failover }) => failover.get(name)?.[fault] ?? []);
    const first = [fault, 'first request', ...names.map((name) => answers(of(name).map((one) => one.first)))];
    const later = ['', 'later requests', ...names.map((name) => answers(of(name).flatMap((one) => one.later)))];
    const back = ['', 'well again: back on the primary', ...names.map((name) => cell(of(name).map(({ backMs }) => backMs)))];
    return later.slice(2).every((text) => text === '-') ? [first, back] : [first, later, back];
  });
  return table(['the primary fails: ms to first content', '', ...names], lines);
}

/** Milliseconds to the fallback's first content; where an answer did not come whole, what the client saw. */
function answers(all: readonly Asked[]): string {
  if (all.every(({ whole, by }) => whole && by === 'fallback')) return cell(all.map(({ firstContentMs }) => firstContentMs));
  const ends = [...new Set(all.map(({ end, by }) => (end === 'whole' ? `whole, by ${by}` : end)))].join(', ');
  return `${ends}: ${cell(all.map(({ ms }) => ms))}`;
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n');
}

function cell(values: readonly (number | null | undefined)[]): string {
  const sorted = values.filter((value) => value !== null && value !== undefined).sort((a, b) => a - b);
  const [low, high] = [sorted[0], sorted.at(-1)];
  if (low === undefined || high === undefined) return '-';
  const middle = ((sorted[(sorted.length - 1) >> 1] ?? low) + (sorted[sorted.length >> 1] ?? high)) / 2;
  return sorted.length === 1 ? round(middle) : `${round(middle)} [${round(low)}..${round(high)}]`;
}

function round(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2);
}

function difference(a: number | undefined, b: number | undefined): number | null {
  return a === undefined || b === undefined ? null : a - b;
}

function quotient(a: number | null, b: number | null): number | null {
  return a === null || b === null || b === 0 ? null : a / b;
}
