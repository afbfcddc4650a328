import type { AttemptRecord } from '@belay/contract';
import { styleText } from 'node:util';
import { localTarget } from './demo-manifests.ts';
import type { Played } from './play-scene.ts';
import type { Scene } from './scenes.ts';

const cells = 16;
const msPerCell = 100;

type Paint = Parameters<typeof styleText>[0];

/** What was tried, in words, and the same as a bar of 1.6 s: red until a target failed, green until content, dim to the end. */
export function timeline(scene: Scene, played: Played): { readonly text: string; readonly bar: string } {
  const attempts = played.decision?.attempts ?? [];
  const parts = [describeAttempts(attempts), failover(attempts), again(played), ending(scene, played)];
  return { text: parts.filter((part) => part !== '').join('  '), bar: drawBar(attempts, played) };
}

/** `east 500 4 ms → west 12 ms`; one that starts beside another is joined by ∥. */
function describeAttempts(attempts: readonly AttemptRecord[]): string {
  return attempts.map((attempt, index) => {
    const joint = index === 0 ? '' : attempt.role === 'Hedge' ? styleText('magenta', ` ∥ at ${Math.round(attempt.startedMs)} ms `) : styleText('dim', ' → ');
    return joint + describeAttempt(attempt);
  }).join('');
}

function describeAttempt({ target, outcome, failure, startedMs, endedMs, firstContentMs }: AttemptRecord): string {
  const took = (until: number): string => `${Math.round(until - startedMs)} ms`;
  switch (outcome) {
    case 'Ok': return styleText('green', `${target} ${took(firstContentMs ?? endedMs)}`);
    case 'Cancelled': return styleText('dim', `${target} outrun`);
    case 'Broken': return styleText('yellow', `${target} broke off ${took(endedMs)}`);
    case 'Failed': return styleText('red', `${target} ${failure?.status ?? failure?.class.toLowerCase() ?? 'failed'} ${took(endedMs)}`);
  }
}

/** From the first fault seen to the first content of the target that answered. */
function failover(attempts: readonly AttemptRecord[]): string {
  const fault = attempts.find(({ outcome }) => outcome === 'Failed');
  const winner = attempts.find(({ outcome }) => outcome === 'Ok');
  if (fault === undefined || winner?.firstContentMs === undefined || winner.firstContentMs === null) return '';
  return styleText('dim', `failover ${Math.max(0, Math.round(winner.firstContentMs - fault.endedMs))} ms`);
}

function again({ answeredBy }: Played): string {
  if (answeredBy.length < 2) return '';
  const marks = answeredBy.map((target) => styleText(paintOf(target), target.slice(0, 1))).join('');
  return styleText('dim', `${answeredBy.length} requests, answered by `) + marks;
}

function paintOf(target: string): Paint {
  return target === 'east' ? 'green' : target === localTarget ? 'blue' : 'cyan';
}

function ending({ expected }: Scene, { outcome }: Played): string {
  if (expected.kind === 'local' || expected.kind === 'any') return styleText('italic', quote(outcome.text));
  if (outcome.thrown === null) return '';
  return expected.kind === 'cut' ? styleText('yellow', `the SDK got ${outcome.text.trim().split(' ').length} words, then threw: ${shorten(outcome.thrown.message, 70)}`) : styleText('red', shorten(outcome.thrown.message, 90));
}

const shorten = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}…` : text);
const quote = (text: string): string => `“${shorten(text.replace(/\s+/g, ' ').trim(), 44)}”`;

function drawBar(attempts: readonly AttemptRecord[], { outcome }: Played): string {
  const faultMs = Math.max(0, ...attempts.filter(({ outcome: how }) => how === 'Failed').map(({ endedMs }) => endedMs));
  const contentMs = outcome.firstContentMs ?? outcome.ms;
  const fault = faultMs === 0 ? 0 : Math.max(1, Math.round(faultMs / msPerCell));
  const content = Math.max(fault + 1, Math.round(contentMs / msPerCell));
  const end = Math.max(content, Math.round(outcome.ms / msPerCell));
  const piece = (paint: Paint, from: number, to: number, glyph: string): string => styleText(paint, glyph.repeat(Math.max(0, Math.min(cells, to) - Math.min(cells, from))));
  const rest = ' '.repeat(Math.max(0, cells - end));
  return piece('red', 0, fault, '━') + piece(outcome.thrown === null ? 'green' : 'yellow', fault, content, '━') + piece(outcome.thrown === null ? 'green' : 'yellow', content, end, '─') + rest;
}
