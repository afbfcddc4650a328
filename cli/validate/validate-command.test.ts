import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { validateCommand, type RawValidateOptions } from './validate-command.ts';

const good = `apiVersion: belay.dev/v1alpha1
kind: FallbackChain
metadata: { name: chat }
spec: { targets: [ { providerRef: { name: own }, model: m } ] }
---
apiVersion: belay.dev/v1alpha1
kind: ModelProvider
metadata: { name: own }
spec: { preset: LlamaCpp, baseURL: https://own.example/v1 }
`;

let folder = '';
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'belay-validate-')); });
afterEach(() => rmSync(folder, { recursive: true }));

async function run(files: Record<string, string>, options: RawValidateOptions = {}) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  let out = '';
  let complaint = '';
  const code = await validateCommand({ file: [folder], ...options }, { write: (text) => { out += text; }, complain: (text) => { complaint += text; }, colour: false });
  return { code, out: out.replaceAll(`${folder}/`, ''), complaint };
}

describe('belay validate', () => {
  test('says what it looked at, and exits 0, where nothing is wrong', async () => {
    expect(await run({ 'a.yaml': good })).toEqual({ code: 0, out: '2 resources in 1 file: no problems\n', complaint: '' });
  });

  test('prints one line a problem, by file and place, and exits 1', async () => {
    const { code, out } = await run({
      'a.yaml': good.replace('spec: { targets:', 'spec: { latncyBudget: 2s, targets:'),
      'b.yaml': good.split('---\n')[0]?.replace('name: chat', 'name: two').replace('name: own', 'name: onw') ?? '',
    });
    expect(code).toBe(1);
    expect(out).toBe([
      'a.yaml:4:9  error    spec.latncyBudget: unknown field "spec.latncyBudget"; did you mean latencyBudget? (UnknownField)',
      '',
      'b.yaml:4:43  error    spec.targets[0].providerRef.name: target onw: there is no ModelProvider "onw" in namespace default (ProviderNotFound)',
      '',
      '3 resources in 2 files: 2 errors',
      '',
    ].join('\n'));
  });

  test('warnings are printed and do not fail', async () => {
    const { code, out } = await run({ 'a.yaml': good.replace('https://own.example/v1', '"http://127.0.0.1:9/v1"') });
    expect({ code, last: out.trim().split('\n').at(-1) }).toEqual({ code: 0, last: '2 resources in 1 file: 1 warning' });
  });

  test.each([['json', JSON.parse], ['yaml', parse]] as const)('-o %s tells machines the same', async (output, read) => {
    const { code, out } = await run({ 'a.yaml': good.replace('preset: LlamaCpp', 'preset: Grok') }, { output });
    const report = (read as (text: string) => { problems: readonly object[] })(out);
    expect(code).toBe(1);
    expect(report).toMatchObject({ ok: false, files: 1, resources: 2, errors: 1, warnings: 1 });
    expect(report.problems[1]).toEqual({
      severity: 'error', path: 'spec.preset', reason: 'FieldValueNotSupported', resource: 'ModelProvider default/own', hint: 'did you mean Groq?',
      message: expect.stringMatching(/^Unsupported value: "Grok": supported values: "OpenAI", /), file: 'a.yaml', line: 9, column: 17,
    });
  });

  test.each([
    ['nothing to validate', { file: [] }, 'belay validate: say with -f which manifests: a file, a directory, or - for standard input\n'],
    ['a form that it does not have', { output: 'xml' }, 'belay validate: -o takes text, json, yaml, not xml\n'],
  ])('%s is usage: 2', async (_title, options, complaint) => {
    expect(await run({ 'a.yaml': good }, options)).toEqual({ code: 2, out: '', complaint });
  });

  test('a path that is not there is a problem: 1', async () => {
    const { code, out } = await run({}, { file: [join(folder, 'none')] });
    expect({ code, out: out.split('\n')[0] }).toEqual({ code: 1, out: 'none  error    FOLDER/none does not exist; -f takes a file, a directory, or - for standard input (FileUnreadable)'.replace('FOLDER/', '') });
  });
});
