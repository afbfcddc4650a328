import { expect, test } from '@jest/globals';
import { suiteResult } from './run-jest.ts';

const file = (status: string, tests: readonly [string, string][], message = '') =>
  ({ name: 'a.test.ts', status, message, assertionResults: tests.map(([fullName, testStatus]) => ({ fullName, status: testStatus })) });
const good = { code: 0, output: '', ended: null };

test('every test is counted once, and what was skipped is named', () => {
  const report = { testResults: [file('passed', [['one', 'passed'], ['two', 'passed'], ['three needs recordings', 'pending']])] };
  expect(suiteResult('unit', report, good)).toEqual({ passed: 2, failed: 0, skipped: 1, failures: [], skippedNames: ['three needs recordings'] });
});

test('a failure is shown in full', () => {
  const report = { testResults: [file('failed', [['one', 'failed'], ['two', 'passed']], '● one\n  expected 1\n')] };
  expect(suiteResult('unit', report, { ...good, code: 1 })).toMatchObject({ passed: 1, failed: 1, failures: ['a.test.ts\n● one\n  expected 1'] });
});

test.each([
  ['a file that does not load', { testResults: [file('failed', [], 'SyntaxError')] }, { ...good, code: 1 }, 'SyntaxError'],
  ['a suite without a test', { testResults: [] }, good, 'unit: ran no test'],
  ['a runner that crashed', null, { code: null, output: 'out of memory', ended: null }, 'the test runner ended with a signal and no report\nout of memory'],
  ['a runner that ended badly after good tests', { testResults: [file('passed', [['one', 'passed']])] }, { ...good, code: 1, output: 'coverage too low' }, 'coverage too low'],
  ['a runner that had to be ended', { testResults: [file('passed', [['one', 'passed']])] }, { ...good, code: null, ended: 'something stayed open' }, 'unit: something stayed open'],
])('%s counts as one failure', (_sentence, report, end, words) => {
  const result = suiteResult('unit', report, end);
  expect(result.failed).toBe(1);
  expect(result.failures.join('\n')).toContain(words);
});
