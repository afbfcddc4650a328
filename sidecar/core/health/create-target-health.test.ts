import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { FailureClass } from '@belay/contract';
import type { Settlement } from '../attempt/protocol.ts';
import { target } from '../../../test/support/health-of-a-target.ts';

test('whatever happens, a target that answers again is closed and not out, and times never grow past their caps', () => {
  const step = fc.record({
    name: fc.constantFrom<FailureClass | 'Ok'>('Ok', 'Client', 'Context', 'Auth', 'Missing', 'Quota', 'Rate', 'Overload', 'Transient', 'Unreachable', 'Timeout', 'Content', 'Loading'),
    ms: fc.integer({ min: 0, max: 20_000 }), pauseMs: fc.integer({ min: 0, max: 120_000 }), silent: fc.boolean(), retryAfterMs: fc.option(fc.integer({ min: 1, max: 1_000_000 })),
    outcome: fc.constantFrom<Settlement['outcome']>('Failed', 'Broken'),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (steps, chance) => {
    const a = target(() => chance);
    for (const { name, ms, pauseMs, ...more } of steps) {
      const probe = a.view().breaker === 'half-open';
      if (name === 'Ok') a.ok(ms, probe);
      else a.fail(name, { ms, probe, ...more });
      const { breaker, probing, returnsInMs, out } = a.view();
      expect(probing).toBe(false);
      expect(returnsInMs).toBeGreaterThanOrEqual(0);
      if (out?.class !== 'Quota') expect(returnsInMs).toBeLessThanOrEqual(300_000);
      if (breaker === 'open') expect(returnsInMs).toBeGreaterThan(0);
      if (name === 'Ok') expect({ breaker, out }).toEqual({ breaker: 'closed', out: null });
      a.wait(pauseMs);
    }
  }));
});
