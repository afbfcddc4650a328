import { expect, test } from '@jest/globals';
import type { ChainReport, TargetReport } from '@belay/contract';
import { knownReports, type ReportableChain } from './known-reports.ts';

const target = (name: string, served = 1): TargetReport => ({ name, served, attempts: served, failures: 0, lastFailure: null, breaker: 'closed', firstContentP50Ms: null });
const report = (name: string, ...targets: readonly TargetReport[]): ChainReport => ({ name, requests: 1, failed: 0, targets });
const chain = (name: string, ...targets: readonly { readonly name?: string; readonly provider: string }[]): ReportableChain => ({
  metadata: { name }, spec: { targets: targets.map(({ name: own, provider }) => ({ ...(own === undefined ? {} : { name: own }), providerRef: { name: provider }, model: 'm', suspend: false })) },
});

test.each<[string, readonly ChainReport[], readonly ReportableChain[], readonly ChainReport[]]>([
  ['a chain that exists is heard', [report('chat', target('openai'))], [chain('chat', { provider: 'openai' })], [report('chat', target('openai'))]],
  ['a target by the name that its chain gives it', [report('chat', target('fast'), target('openai'))], [chain('chat', { name: 'fast', provider: 'openai' })], [report('chat', target('fast'))]],
  ['a chain that is made up is not', [report('made-up', target('openai'))], [chain('chat', { provider: 'openai' })], []],
  ['nor a target', [report('chat', target('openai'), target('made-up'))], [chain('chat', { provider: 'openai' })], [report('chat', target('openai'))]],
  ['nothing is heard twice', [report('chat'), report('chat', target('openai'), target('openai', 9))], [chain('chat', { provider: 'openai' })], [report('chat', target('openai'))]],
])('%s', (_sentence, reports, chains, heard) => {
  expect(knownReports(reports, chains)).toEqual(heard);
});
