import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { plannedTarget } from '../../test/simulation/made-up-plan.ts';
import { event } from '../../test/support/running-sidecar.ts';
import type { AttemptEvent } from '../core/attempt/protocol.ts';
import { newAttempt, type AttemptOptions } from './attempt.ts';
import { readStream } from './stream-body.ts';

interface Told {
  readonly types: string[];
  readonly send: (...events: string[]) => void;
  readonly advance: (ms: number) => Promise<void>;
}

function reading(): Told {
  const clock = new ManualClock();
  const types: string[] = [];
  const told: Pick<AttemptOptions, 'tell' | 'crash'> = {
    tell: ({ type }: AttemptEvent) => void types.push(type),
    crash: (error) => { throw error as Error; },
  };
  const target = { healthKey: 'a/m', provider: { preset: null } } as unknown as AttemptOptions['target'];
  const request = { stream: true, includeUsage: false, text: '{}' } as AttemptOptions['request'];
  const attempt = newAttempt({ number: 0, target, planned: plannedTarget('a'), clock, wallClock: () => 0, request, unaryOnly: new Set(), ...told });
  const body = readStream(attempt);
  return { types, advance: (ms) => clock.advance(ms), send: (...events) => events.forEach((one) => body.data(new TextEncoder().encode(one))) };
}

describe('the end of a stream after its finish reason', () => {
  test('is waited for, for two seconds', async () => {
    const { types, send, advance } = reading();
    send(event({ content: 'a' }), event({}, 'stop'));
    await advance(1_999);
    expect(types).not.toContain('attempt-completed');
    await advance(1);
    expect(types).toContain('attempt-completed');
  });

  test('is waited for anew after each content of a server that writes a finish reason on every chunk', async () => {
    const { types, send, advance } = reading();
    for (const word of ['a', 'b', 'c', 'd']) {
      send(event({ content: word }, 'stop'));
      await advance(1_500);
    }
    expect(types).not.toContain('attempt-completed');
    send('data: [DONE]\n\n');
    expect(types.filter((type) => type === 'attempt-completed')).toHaveLength(1);
  });
});
