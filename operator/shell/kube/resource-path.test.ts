import { expect, test } from '@jest/globals';
import { createHttpsClient } from './https-client.ts';
import { resourcePath, type ObjectPlace, type Place } from './resource-path.ts';

const pods = { group: '', version: 'v1', plural: 'pods' };
const leases = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };

test.each<[Place | ObjectPlace, string]>([
  [{ resource: pods }, '/api/v1/pods'],
  [{ resource: leases, namespace: 'belay' }, '/apis/coordination.k8s.io/v1/namespaces/belay/leases'],
  [{ resource: pods, namespace: 'shop', name: 'a.b-c', subresource: 'status' }, '/api/v1/namespaces/shop/pods/a.b-c/status'],
  [{ resource: pods, name: 'system:node' }, '/api/v1/pods/system%3Anode'],
])('%j is %s', (place, path) => {
  expect(resourcePath(place)).toBe(path);
});

test.each(['..', '.', '', 'a/b', 'a?watch=true', '%2e%2e', 'a b'])('the name %j leaves its segment and is refused', (name) => {
  expect(() => resourcePath({ resource: pods, namespace: 'shop', name })).toThrow('no name of a Kubernetes object');
  expect(() => resourcePath({ resource: pods, namespace: name })).toThrow('no name of a Kubernetes object');
});

test.each([['http://10.0.0.1:8080', true], ['http://localhost.example', true], ['http://127.0.0.1:8001', false], ['https://10.0.0.1', false]])('of %s it is %s that no token travels to it', (server, refused) => {
  const open = () => createHttpsClient({ server, clock: { nowMs: () => 0, after: () => () => {} } }).close();
  if (refused) expect(open).toThrow('https alone');
  else expect(open).not.toThrow();
});
