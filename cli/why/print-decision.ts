import { describeDecision, describeFailure, type Decision } from '@belay/contract';
import { printable, printTable } from '../output/print-table.ts';
import type { Colours } from '../run/colours.ts';

/** The sentence about a request, when and as what it came, and its attempts as a table. */
export function printDecision(decision: Decision, { bold, dim }: Colours): string {
  const { at, model, mode, streamed, tableVersion, stale, usage, firstContentMs } = decision;
  const facts = [
    `asked for ${model} at ${at}`, mode.toLowerCase(), streamed ? 'streamed' : 'whole',
    ...(firstContentMs === null ? [] : [`first content after ${milliseconds(firstContentMs)}`]),
    ...(usage === null ? [] : [`${usage.promptTokens} + ${usage.completionTokens} tokens`]),
    `table ${tableVersion.slice(0, 'sha256:'.length + 12)}${stale ? ', a last good form' : ''}`,
  ];
  const [head = '', ...rows] = printTable([header, ...decision.attempts.map(attemptRow), ...decision.excluded.map(excludedRow)]);
  return [bold(printable(describeDecision(decision))), dim(printable(facts.join(', '))), ...(rows.length === 0 ? [] : ['', bold(head), ...rows]), ''].join('\n');
}

const header = ['', 'TARGET', 'MODEL', 'ROLE', 'STARTED', 'FIRST CONTENT', 'ENDED', 'OUTCOME', 'WHY'];

function attemptRow({ target, model, role, startedMs, firstContentMs, endedMs, outcome, failure }: Decision['attempts'][number], index: number): readonly string[] {
  const why = failure === null ? '' : `${failure.class}: ${describeFailure(failure)}`;
  return [String(index + 1), target, model, role, milliseconds(startedMs), firstContentMs === null ? '-' : milliseconds(firstContentMs), milliseconds(endedMs), outcome, why].map(printable);
}

function excludedRow({ target, reason, detail }: Decision['excluded'][number]): readonly string[] {
  return ['-', target, '', '', '', '', '', 'Left out', `${reason}${detail === '' ? '' : `: ${detail}`}`].map(printable);
}

function milliseconds(ms: number): string {
  return `${Math.round(ms)} ms`;
}
