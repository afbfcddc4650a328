import { expect, test } from '@jest/globals';
import { createJsonLog, type LogLine } from './json-log.ts';
import { Secret } from './secret.ts';

test.each<[LogLine['level'], readonly LogLine['level'][]]>([['error', ['error']], ['warn', ['error', 'warn']], ['info', ['error', 'warn', 'info']]])('at level %s a log has lines of %j', (level, written) => {
  const lines: string[] = [];
  const log = createJsonLog(level, () => 0, (text) => lines.push(text));
  for (const each of ['error', 'warn', 'info'] as const) log({ level: each, event: 'thing-happened', message: 'A thing happened.' });
  expect(lines.map((line) => (JSON.parse(line) as LogLine).level)).toEqual(written);
});

test('a line is one line, says when, and shows no secret', () => {
  let text = '';
  createJsonLog('info', () => Date.UTC(2026, 10, 25, 3, 2, 1), (written) => { text += written; })({ level: 'info', event: 'thing-happened', message: 'A\nthing.', key: new Secret('sk-1') });
  expect(text).toBe('{"at":"2026-11-25T03:02:01.000Z","level":"info","event":"thing-happened","message":"A\\nthing.","key":"[redacted]"}\n');
});
