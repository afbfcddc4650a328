import { describeFinding, placeOf, type ManifestProblem } from '../manifest/manifest-problem.ts';

/** Paints text for a terminal, or leaves it as it is. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
}

export interface ProblemTotals {
  readonly files: number;
  readonly resources: number;
  readonly errors: number;
  readonly warnings: number;
}

/** Findings for people, one line each, a blank line between files, and what they come to. `problems` are sorted by file. */
export function printProblems(problems: readonly ManifestProblem[], totals: ProblemTotals, paint: Paint): string {
  const groups = Map.groupBy(problems, ({ file }) => file);
  const blocks = [...groups.values()].map((group) => lines(group, paint));
  return [...blocks, summary(totals, paint)].join('\n\n') + '\n';
}

function lines(problems: readonly ManifestProblem[], paint: Paint): string {
  const width = Math.max(...problems.map((one) => placeOf(one).length));
  return problems.map((one) => {
    const severity = one.severity === 'error' ? paint.red('error  ') : paint.yellow('warning');
    return `${paint.bold(placeOf(one).padEnd(width))}  ${severity}  ${describeFinding(one)}`;
  }).join('\n');
}

function summary({ files, resources, errors, warnings }: ProblemTotals, paint: Paint): string {
  const seen = `${count(resources, 'resource')} in ${count(files, 'file')}`;
  const found = [...(errors > 0 ? [paint.red(count(errors, 'error'))] : []), ...(warnings > 0 ? [paint.yellow(count(warnings, 'warning'))] : [])];
  return found.length === 0 ? `${seen}: ${paint.green('no problems')}` : `${seen}: ${found.join(', ')}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
