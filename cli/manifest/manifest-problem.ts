import { describeProblem, type Problem } from '@belay/contract';

/** One finding in a manifest: where it stands, and the API server's path, reason and message. */
export interface ManifestProblem extends Problem {
  /** `warning` never keeps anything from being served. */
  readonly severity: 'error' | 'warning';
  /** The API server's (`FieldValueInvalid`), the reason of a condition (`ProviderNotFound`), or the reader's (`ManifestUnreadable`). */
  readonly reason: string;
  readonly file: string;
  /** From 1; 0 where the whole file is meant. */
  readonly line: number;
  /** From 1; 0 where the whole file is meant. */
  readonly column: number;
  /** `FallbackChain support/chat`; null where the finding is about a file. */
  readonly resource: string | null;
  /** What to do about it, where the message does not say: `did you mean latencyBudget?`. */
  readonly hint: string | null;
}

/** By file (in the order in which they were read), then by place. Findings of one place keep their order. */
export function sortProblems(problems: readonly ManifestProblem[], files: readonly string[]): readonly ManifestProblem[] {
  const order = new Map(files.map((file, index) => [file, index]));
  const rank = ({ file }: ManifestProblem): number => order.get(file) ?? -1;
  return [...problems].sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
}

/** `chat.yaml:7:3`, or the file alone where all of it is meant. */
export function placeOf({ file, line, column }: ManifestProblem): string {
  return line === 0 ? file : `${file}:${line}:${column}`;
}

/** `spec.latncyBudget: unknown field "spec.latncyBudget"; did you mean latencyBudget? (UnknownField)`. */
export function describeFinding(problem: ManifestProblem): string {
  return `${describeProblem(problem)}${problem.hint === null ? '' : `; ${problem.hint}`} (${problem.reason})`;
}

/** One line for people: place, severity, finding. */
export function describeManifestProblem(problem: ManifestProblem): string {
  return `${placeOf(problem)}: ${problem.severity}: ${describeFinding(problem)}`;
}
