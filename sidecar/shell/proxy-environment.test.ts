import { Agent } from 'node:https';
import { describe, expect, test } from '@jest/globals';
import { readProxyEnvironment } from './proxy-environment.ts';

describe('a proxy', () => {
  test.each<[string, string, string]>([
    ['is taken as it is written', 'http://proxy.example:3128', 'http://proxy.example:3128/'],
    ['is HTTP where it has no scheme', 'proxy.example:3128', 'http://proxy.example:3128/'],
    ['is an address without a scheme', '10.0.0.1:3128', 'http://10.0.0.1:3128/'],
    ['keeps its login', 'https://me:p%40ss@proxy.example', 'https://me:p%40ss@proxy.example/'],
    ['may have white space around it and a scheme in capitals', ' HTTP://proxy.example\n', 'http://proxy.example/'],
  ])('%s', (_, written, expected) => {
    const { environment, problems } = readProxyEnvironment({ HTTPS_PROXY: written });
    expect([environment, problems]).toEqual([{ HTTPS_PROXY: expected }, []]);
    expect(() => new Agent({ proxyEnv: environment })).not.toThrow();
  });

  test.each(['http://', 'http://:3128', 'socks5://proxy.example:1080', 'http://proxy.example:port', 'me:secret@'])('that cannot be one is left out, and told of without its words: %s', (written) => {
    expect(readProxyEnvironment({ http_proxy: written, NO_PROXY: '.svc' })).toEqual({
      environment: { NO_PROXY: '.svc' },
      problems: ['http_proxy is no address of an HTTP proxy, such as http://proxy.example:3128: providers are asked without it.'],
    });
  });

  test('that is empty is none', () => {
    expect(readProxyEnvironment({ https_proxy: '', HTTP_PROXY: ' ', PATH: '/bin' })).toEqual({ environment: { PATH: '/bin' }, problems: [] });
  });
});
