import { expect, test } from '@jest/globals';
import { hostPlace } from './host-place.ts';

test.each([
  ['localhost', 'Loopback'], ['api.localhost', 'Loopback'], ['127.0.0.1', 'Loopback'], ['127.8.9.1', 'Loopback'], ['[::1]', 'Loopback'],
  ['llm.models.svc', 'Service'], ['llm.models.svc.cluster.local', 'Service'],
  ['llm.models.svc.evil.example', 'Public'], ['svc.example.com', 'Public'], ['127.0.0.1.example.com', 'Public'], ['localhost.example.com', 'Public'],
  ['10.1.2.3', 'Private'], ['172.16.0.1', 'Private'], ['172.31.0.1', 'Private'], ['172.32.0.1', 'Public'], ['192.168.1.1', 'Private'],
  ['100.64.0.1', 'Private'], ['100.127.0.1', 'Private'], ['100.128.0.1', 'Public'], ['169.254.169.254', 'Private'],
  ['[fd00::1]', 'Private'], ['[fe80::1]', 'Private'], ['[2001:db8::1]', 'Public'], ['gpu-box', 'Private'], ['gpu.internal', 'Private'],
  ['10.example.com', 'Public'], ['api.openai.com', 'Public'], ['8.8.8.8', 'Public'],
] as const)('%s is %s', (hostname, place) => {
  expect(hostPlace(hostname, 'cluster.local')).toBe(place);
});
