import { proxyVariables } from '@belay/contract';

export interface ProxyEnvironment {
  readonly environment: NodeJS.ProcessEnv;
  /** A sentence for each variable that is left out. It does not quote: the value may hold a password. */
  readonly problems: readonly string[];
}

/**
 * The environment with proxies as Node takes them. Applications, whose variables a sidecar gets, write them as curl and others do: without a scheme,
 * with white space. What is no address of an HTTP proxy would fail every request, or be passed over without a word.
 */
export function readProxyEnvironment(environment: NodeJS.ProcessEnv): ProxyEnvironment {
  const written = proxyVariables.flatMap((name) => {
    const value = environment[name]?.trim() ?? '';
    return value === '' ? [] : [{ name, url: proxyUrl(value) }];
  });
  const others = Object.entries(environment).filter(([name]) => !proxyVariables.includes(name));
  return {
    environment: Object.fromEntries([...others, ...written.flatMap(({ name, url }) => (url === null ? [] : [[name, url] as const]))]),
    problems: written.flatMap(({ name, url }) => (url === null ? [`${name} is no address of an HTTP proxy, such as http://proxy.example:3128: providers are asked without it.`] : [])),
  };
}

function proxyUrl(value: string): string | null {
  const url = URL.parse(/^[a-z][-+.a-z0-9]*:\/\//i.test(value) ? value : `http://${value}`);
  return url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '' ? url.href : null;
}
