import { expect, test } from '@jest/globals';
import { Secret } from '@belay/contract';
import { chainEntry, providerEntry, routingTable, targetEntry } from '../../test/support/made-up-table.ts';
import { createActiveTable } from './active-table.ts';

test.each([
  ['the origin of its provider', 'https://a.example', 'delivered'],
  ['that origin with its usual port', 'https://a.example:443', 'delivered'],
  ['another host', 'https://b.example', null],
  ['another scheme', 'http://a.example', null],
  ['another port', 'https://a.example:8443', null],
  ['a host that no URL can have', 'https://1.2.3.999', null],
])('a key for %s', (_, origin, key) => {
  const active = createActiveTable(() => 0.5);
  active.apply(routingTable([chainEntry('chat', [targetEntry('a')])], [providerEntry('a', { needsKey: true })]));
  active.applyKeys([{ provider: 'a', origin, secret: new Secret('delivered'), version: '1' }]);
  const target = active.current()!.chains.get('chat')!.targets[0]!;
  expect(active.keyFor(target)?.secret.reveal() ?? null).toBe(key);
});
