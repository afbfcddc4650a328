import { describe, expect, test } from '@jest/globals';
import type { FailureClass, TargetReport } from '@belay/contract';
import { providerEntry, targetEntry } from '../../../test/support/made-up-table.ts';
import { faultOf, healthOf, isOut, targetStatus, type TargetEvidence } from './target-status.ts';
import type { Traffic } from './traffic.ts';

const report = (more: Partial<TargetReport> = {}): TargetReport => ({ name: 'opus', served: 0, attempts: 0, failures: 0, lastFailure: null, breaker: 'closed', firstContentP50Ms: null, ...more });
const none: Traffic = { failed: 0, targets: new Map() };
const traffic = (attempts: number, failures: number, failure: FailureClass = 'Timeout'): Traffic => ({ failed: 0, targets: new Map([['opus', { served: attempts - failures, attempts, failures, classes: new Map(failures === 0 ? [] : [[failure, failures]]) }]]) });
const evidence = (more: Partial<TargetEvidence> = {}): TargetEvidence => ({ target: targetEntry('opus'), facts: {}, reports: [], recent: none, minute: none, ...more });
const open = report({ breaker: 'open', attempts: 3, lastFailure: 'Auth' });

describe('health', () => {
  test.each<[string, Partial<TargetEvidence>, string]>([
    ['suspended in the chain', { target: targetEntry('opus', { suspended: true }) }, 'Suspended'],
    ['suspended with its provider', { facts: { providers: [providerEntry('opus', { suspended: true })] } }, 'Suspended'],
    ['not suspended with another provider', { facts: { providers: [providerEntry('groq', { suspended: true })] } }, 'Unknown'],
    ['of which no keys are known is not judged by its key', { facts: { providers: [providerEntry('opus', { needsKey: true })] } }, 'Unknown'],
    ['whose key is not there', { facts: { providers: [providerEntry('opus', { needsKey: true })], keys: [] } }, 'Unhealthy'],
    ['that answers every second request', { recent: traffic(10, 5) }, 'Degraded'],
    ['that answers less than that', { recent: traffic(10, 6) }, 'Unhealthy'],
    ['that answers nine of ten', { recent: traffic(10, 1) }, 'Healthy'],
    ['that answers less than that', { recent: traffic(100, 11) }, 'Degraded'],
    ['that half of those who asked keep their breakers from', { reports: [open, report({ attempts: 1 }), report(), report()] }, 'Unhealthy'],
    ['that a third does', { reports: [open, report({ attempts: 1 }), report({ attempts: 1 })] }, 'Degraded'],
  ])('of one %s: %#', (_, more, health) => {
    expect(healthOf(evidence(more), 'Unknown')).toBe(health);
  });

  test.each([['Healthy', 'Healthy'], ['Degraded', 'Degraded'], ['Unhealthy', 'Unhealthy'], ['Loading', 'Unknown'], ['Absent', 'Unknown'], ['Suspended', 'Unknown']] as const)('without traffic, %s is followed by %s', (last, health) => {
    expect(healthOf(evidence(), last)).toBe(health);
  });
});

describe('why it does not answer is said by', () => {
  test.each<[string, Partial<TargetEvidence>, string]>([
    ['its key, before all', { facts: { providers: [providerEntry('opus', { needsKey: true })], keys: [] }, recent: traffic(1, 1) }, 'KeyNotDelivered'],
    ['the last seconds', { recent: traffic(1, 1), minute: traffic(9, 9, 'Auth'), reports: [open] }, 'Timeout'],
    ['the last minute', { minute: traffic(9, 9, 'Rate'), reports: [open] }, 'Rate'],
    ['the sidecars that keep away from it', { reports: [open, report({ lastFailure: 'Timeout' }), report({ lastFailure: 'Timeout' })] }, 'Auth'],
    ['all sidecars', { reports: [report({ lastFailure: 'Auth' }), report({ lastFailure: 'Timeout' }), report({ lastFailure: 'Timeout' })] }, 'Timeout'],
    ['nobody', { reports: [report()] }, 'NotTried'],
  ])('%s', (_, more, fault) => {
    expect(faultOf(evidence(more))).toBe(fault);
  });
});

test('sidecars that never asked it have no say about its being out', () => {
  expect([isOut(evidence({ reports: [open, report(), report()] })), isOut(evidence({ reports: [report(), report()] }))]).toEqual([true, false]);
});

describe('its line of the status', () => {
  const line = (more: Partial<TargetEvidence>, health: 'Healthy' | 'Degraded' | 'Unhealthy') => targetStatus(evidence(more), health);

  test('names no problem where none is known', () => {
    expect(line({}, 'Unhealthy')).not.toHaveProperty('problem');
  });

  test('tells no rate of success of one that is out of use', () => {
    expect([line({ recent: traffic(3, 0) }, 'Healthy').successRate, line({ recent: traffic(3, 0), reports: [open] }, 'Unhealthy').successRate]).toEqual(['100%', undefined]);
  });

  test.each([[2_000, 1, '99.9%'], [3, 1, '66.6%'], [5, 9, '0%']])('of %i attempts and %i failures, never says more than is true: %s', (attempts, failures, successRate) => {
    expect(line({ recent: traffic(attempts, failures) }, 'Degraded').successRate).toBe(successRate);
  });

  test('holds no number that the CRD has no room for, whatever a sidecar reports', () => {
    expect(line({ reports: [report({ firstContentP50Ms: Number.MAX_SAFE_INTEGER })] }, 'Healthy').firstContentP50Ms).toBe(2 ** 31 - 1);
  });

  test('takes the lower of two medians', () => {
    expect(line({ reports: [report({ firstContentP50Ms: 900 }), report({ firstContentP50Ms: 100 }), report()] }, 'Healthy').firstContentP50Ms).toBe(100);
  });
});
