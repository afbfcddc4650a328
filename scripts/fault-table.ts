// `npm run fault-table`: every fault, in both modes, unary and streamed, through a real `belay run` with the real SDK, in one table.
import { stripVTControlCharacters, styleText } from 'node:util';
import { attemptsHeader } from '@belay/contract';
import { faultScenarios } from '../test/support/faults/fault-scenarios.ts';
import { closeTimes } from '../test/support/faults/measure-close.ts';
import { cellsOf, createFaultBench, type CellResult } from '../test/support/faults/run-faults.ts';
import { createRig } from '../test/support/rig.ts';

const atOnce = 4;
const cells = cellsOf(faultScenarios);
const bench = await createFaultBench(cells);
const results = new Map<number, CellResult>();
const queue = [...cells.entries()];
try {
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) results.set(next[0], await bench.ask(next[1]));
  }));
} finally {
  await bench.close();
}

const rows = cells.map((_, index) => results.get(index)).filter((result) => result !== undefined);
print(['', 'fault of the first target', 'mode', 'asked', 'the client got', 'first content', 'in all', 'attempts'].map((word) => styleText('bold', word)));
for (const result of rows) print(row(result));
const failed = rows.filter(({ complaints }) => complaints.length > 0);
for (const { cell, complaints } of failed) console.log(styleText('red', `✖ ${cell.scenario.name}, ${cell.mode}, ${cell.stream ? 'streamed' : 'unary'}: ${complaints.join('; ')}`));
console.log(`${rows.length - failed.length} of ${rows.length} as they should be. Latency budget 1 s, one retry, the real openai package as client; attempts with time to first content or to the failure.`);
await printCloseTimes();
process.exitCode = failed.length > 0 ? 1 : 0;

/** Cancelled upstream: what a client that leaves no longer pays for. */
async function printCloseTimes(): Promise<void> {
  const rig = await createRig({ a: [{ sse: [{ role: true }, { repeat: 400, items: [{ text: 'word ' }, { wait: 10 }] }] }] });
  try {
    const streaming = await closeTimes(rig, { abortAfterEvents: 3 }, 10);
    rig.script(rig.a, { hang: true });
    const waiting = await closeTimes(rig, { abortAfterMs: 100 }, 10);
    const most = (times: readonly number[]): string => `${Math.max(...times).toFixed(1)} ms`;
    console.log(`A client that leaves: its upstream sees the close within ${most(streaming)} in mid-stream, ${most(waiting)} before headers (the longest of 10 each).`);
  } finally {
    await rig.close();
  }
}

function row({ cell, outcome, decision, complaints }: CellResult): readonly string[] {
  const mark = complaints.length > 0 ? styleText('red', '✖') : styleText('green', '✔');
  const first = outcome.firstContentMs === null ? '-' : `${outcome.firstContentMs.toFixed(0)} ms`;
  return [mark, cell.scenario.name, cell.mode, cell.stream ? 'streamed' : 'unary', clientGot(outcome), first, `${outcome.ms.toFixed(0)} ms`, attemptsHeader(decision?.attempts ?? [])];
}

function clientGot({ status, end, text, thrown }: CellResult['outcome']): string {
  if (thrown === null) return styleText('green', `${status} whole, by ${text.split(' ')[0]}`);
  return text === '' ? styleText('yellow', `${status} error, thrown by the SDK`) : styleText('yellow', `${status} ${text.trim().split(' ').length} words, then ${end === 'errorEvent' ? 'an error event' : end}`);
}

function print(columns: readonly string[]): void {
  const widths = [1, 37, 10, 8, 31, 13, 8, 0];
  console.log(columns.map((text, index) => pad(text, widths[index] ?? 0, index === 5 || index === 6)).join('  ').trimEnd());
}

/** Pads by what is seen, not by what colours add. */
function pad(text: string, width: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, width - stripVTControlCharacters(text).length));
  return right ? space + text : text + space;
}
