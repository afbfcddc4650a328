import { parsed, parseShare, refused, type Parsed } from '@belay/contract';
import type { Fault } from '@belay/sidecar/shell/sidecar-options.ts';

const kinds: readonly Fault['kind'][] = ['500', '429', 'refused', 'silent', 'stall', 'cut'];

/** `TARGET=KIND[@SHARE]` of `--fault`: `opus=500`, `gemini=silent@50%`. Without a share every attempt fails. */
export function parseFault(text: string): Parsed<Fault> {
  const path = '--fault';
  const form = `must be TARGET=KIND or TARGET=KIND@SHARE, such as opus=500 or opus=silent@50%, not ${JSON.stringify(text)}`;
  const equals = text.lastIndexOf('=');
  if (equals < 1) return refused(path, form);
  const target = text.slice(0, equals);
  const [kind = '', share, ...more] = text.slice(equals + 1).split('@');
  if (more.length > 0) return refused(path, form);
  if (!isKind(kind)) return refused(path, `knows no fault ${JSON.stringify(kind)} for target ${target}: it must be one of ${kinds.join(', ')}`);
  if (share === undefined) return parsed({ target, kind, share: 1 });
  const part = parseShare(share, `${path} ${target}=${kind}@`);
  return part.ok ? parsed({ target, kind, share: part.value }) : part;
}

/** `opus answers 500 in 50% of attempts`, for the warning that faults are on. */
export function describeFault({ target, kind, share }: Fault): string {
  const how = share === 1 ? 'every attempt' : `${Math.round(share * 10_000) / 100}% of attempts`;
  return `${target} ${effects[kind]} in ${how}`;
}

const effects: { readonly [kind in Fault['kind']]: string } = {
  500: 'answers 500',
  429: 'answers 429',
  refused: 'refuses the connection',
  silent: 'stays silent',
  stall: 'stalls before its first token',
  cut: 'breaks off in mid-answer',
};

function isKind(text: string): text is Fault['kind'] {
  return (kinds as readonly string[]).includes(text);
}
