import { styleText } from 'node:util';
import type { Answer } from '../../test/cluster/stage/stage.ts';

const shownHeaders = ['x-belay-target', 'x-belay-model', 'x-belay-attempts', 'x-belay-request-id'];

/** What an application got, as lines: status, the headers that say who answered, and the text or the error. */
export function describeAnswer({ status, headers, text, error, ms }: Answer): string {
  const said = error === undefined ? styleText('italic', `“${text.replace(/\s+/g, ' ').trim()}”`) : styleText('red', error);
  const lines = shownHeaders.flatMap((name) => (headers[name] === undefined ? [] : [`${name}: ${name === 'x-belay-attempts' ? paintAttempts(headers[name]) : headers[name]}`]));
  return [`${status === 0 ? 'no answer' : `HTTP ${status}`}  ${ms} ms`, ...lines, said].join('\n');
}

/** `east=refused:3ms,on-cluster=ok:411ms`, failed ones in red. */
function paintAttempts(header: string): string {
  return header.split(',').map((attempt) => styleText(attempt.includes('=ok:') ? 'green' : 'red', attempt)).join(',');
}
