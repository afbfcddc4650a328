import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';

/** One example manifest, and what the API server says about it. */
export interface ManifestCase {
  readonly file: string;
  /** Line of the comment that opens the case, from 1. */
  readonly line: number;
  readonly sentence: string;
  readonly valid: boolean;
  /** The manifest as it stands in the file. */
  readonly text: string;
  readonly manifest: { readonly [name: string]: unknown };
  /** Exactly these and no others; empty for a valid example. */
  readonly expected: readonly ExpectedCause[];
}

export interface ExpectedCause {
  /** Field path as the API server prints it. */
  readonly path: string;
  /** The API server's cause reason, or `UnknownField`, which strict decoding reports without a cause. */
  readonly reason: string;
  /** Without the leading `Invalid value: …: `. */
  readonly message: string;
}

/** The folder of the example manifests. */
const casesFolder = join(import.meta.dirname, 'cases');

/**
 * Reads `cases/*.yaml`: documents separated by `---`, each opened by `# valid: sentence` or `# invalid: sentence` and, where invalid, by
 * one line `#   PATH | REASON | MESSAGE` for each cause. Throws where a file does not keep this form.
 */
export function readCases(folder: string = casesFolder): readonly ManifestCase[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .flatMap((file) => casesOf(file, readFileSync(join(folder, file), 'utf8')));
}

/** True where the API server's own message is the expected one: it is printed behind the value it refuses. */
export function sameMessage(expected: string, actual: string): boolean {
  return actual === expected || actual.endsWith(`: ${expected}`) || (expected === 'Duplicate value' && actual.startsWith('Duplicate value: '));
}

const opening = /^# (valid|invalid): (.+)$/;
const cause = /^#   (\S+) \| (\w+) \| (.+)$/;

function casesOf(file: string, content: string): readonly ManifestCase[] {
  let line = 1;
  return content.split(/^---\n/m).flatMap((text) => {
    const start = line;
    line += text.split('\n').length;
    return text.trim() === '' ? [] : [caseOf(file, start, text)];
  });
}

function caseOf(file: string, line: number, text: string): ManifestCase {
  const lines = text.split('\n');
  const [, verdict, sentence] = opening.exec(lines[0] ?? '') ?? [];
  if (sentence === undefined) throw new Error(`${file}:${line}: a case opens with "# valid: sentence" or "# invalid: sentence"`);
  const expected = lines.slice(1).flatMap((row) => {
    const [, path, reason, message] = cause.exec(row) ?? [];
    return path === undefined || reason === undefined || message === undefined ? [] : [{ path, reason, message }];
  });
  if ((verdict === 'valid') !== (expected.length === 0)) {
    throw new Error(`${file}:${line}: an invalid case lists its causes as "#   PATH | REASON | MESSAGE", a valid one lists none`);
  }
  const document = parseDocument(text, { version: '1.1', prettyErrors: true });
  const [problem] = document.errors;
  if (problem !== undefined) throw new Error(`${file}:${line}: ${problem.message}`);
  return { file, line, sentence, valid: verdict === 'valid', text, manifest: document.toJS() as { [name: string]: unknown }, expected };
}
