import { expect, test } from '@jest/globals';
import { parseRequestSettings } from './request-settings.ts';

const none = { targets: null, latencyBudgetMs: null, fallbackMode: null, egress: null, explain: false };

test.each<[string, Record<string, string | string[]>, Record<string, unknown>, object]>([
  ['nothing set', {}, {}, {}],
  ['targets in a header', { 'x-belay-targets': 'gemini, local' }, {}, { targets: ['gemini', 'local'] }],
  ['a target named twice counts once', { 'x-belay-targets': 'a,b,a' }, {}, { targets: ['a', 'b'] }],
  ['a header that came twice', { 'x-belay-targets': ['a', 'b'] }, {}, { targets: ['a', 'b'] }],
  ['targets in the body, as a text', {}, { targets: 'gemini,local' }, { targets: ['gemini', 'local'] }],
  ['targets in the body, as a list', {}, { targets: ['gemini'] }, { targets: ['gemini'] }],
  ['a budget', { 'x-belay-latency-budget': '1500ms' }, {}, { latencyBudgetMs: 1_500 }],
  ['a budget in the body', {}, { latency_budget: '2s' }, { latencyBudgetMs: 2_000 }],
  ['race', { 'x-belay-fallback-mode': 'race' }, {}, { fallbackMode: 'Race' }],
  ['sequential, in any case', { 'x-belay-fallback-mode': 'Sequential' }, {}, { fallbackMode: 'Sequential' }],
  ['inside the cluster', { 'x-belay-egress': 'cluster' }, {}, { egress: 'ClusterOnly' }],
  ['explain by header', { 'x-belay-explain': '1' }, {}, { explain: true }],
  ['explain in the body', {}, { explain: true }, { explain: true }],
  ['explain off', { 'x-belay-explain': '0' }, { explain: true }, { explain: false }],
  ['a header wins over the body', { 'x-belay-fallback-mode': 'race' }, { fallback_mode: 'sequential' }, { fallbackMode: 'Race' }],
  ['null in the body is not set', {}, { targets: null, egress: null }, {}],
])('%s', (_, headers, body, want) => {
  expect(parseRequestSettings(headers, body)).toEqual({ ok: true, value: { ...none, ...want } });
});

test.each<[string, Record<string, string>, Record<string, unknown>, string, string]>([
  ['an empty list of targets', { 'x-belay-targets': '' }, {}, 'x-belay-targets', 'must name targets of the chain, such as gemini,local, not ""'],
  ['a hole in the list', { 'x-belay-targets': 'a,,b' }, {}, 'x-belay-targets', 'must name targets of the chain, such as gemini,local, not "a,,b"'],
  ['targets that are numbers', {}, { targets: [1] }, 'belay.targets', 'must name targets of the chain, such as gemini,local, not [1]'],
  ['a budget without a unit', { 'x-belay-latency-budget': '1500' }, {}, 'x-belay-latency-budget', 'must be a duration such as 2s, 300ms or 1m30s, not "1500"'],
  ['a budget that is a number', {}, { latency_budget: 1500 }, 'belay.latency_budget', 'must be a duration such as 2s, 300ms or 1m30s, not 1500'],
  ['a budget of nothing', { 'x-belay-latency-budget': '0s' }, {}, 'x-belay-latency-budget', 'must be longer than 0s, such as 1500ms'],
  ['a mode that is none', { 'x-belay-fallback-mode': 'parallel' }, {}, 'x-belay-fallback-mode', 'must be race or sequential, not "parallel"'],
  ['a mode of an object', {}, { fallback_mode: 'constructor' }, 'belay.fallback_mode', 'must be race or sequential, not "constructor"'],
  ['an egress that is none', { 'x-belay-egress': 'europe' }, {}, 'x-belay-egress', 'must be cluster or any, not "europe"'],
  ['an explain that is neither on nor off', { 'x-belay-explain': 'please' }, {}, 'x-belay-explain', 'must be 0 or 1 or true or false, not "please"'],
  ['a setting that there is not', {}, { latencyBudget: '2s' }, 'belay.latencyBudget', 'is no setting; there are targets, latency_budget, fallback_mode, egress, explain'],
])('%s is refused', (_, headers, body, path, message) => {
  expect(parseRequestSettings(headers, body)).toEqual({ ok: false, problems: [{ path, message }] });
});

test('all that is wrong is said at once', () => {
  const result = parseRequestSettings({ 'x-belay-egress': 'x', 'x-belay-explain': 'x' }, { fallback_mode: 'x' });
  expect(result.ok ? 0 : result.problems.length).toBe(3);
});
