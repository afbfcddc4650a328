import { isIP } from 'node:net';
import type { ChainEntry, RoutingTable } from '@belay/contract';
import type { Colours } from './colours.ts';
import { isLoopback } from './run-options.ts';

export interface Serving {
  readonly version: string;
  readonly table: RoutingTable;
  readonly address: string;
  readonly port: number;
  readonly adminPort: number;
  /** Applications must send BELAY_CLIENT_KEY. */
  readonly keyed: boolean;
}

/** What a person who started `belay run` wants to see: which names lead where, and the line to try next. */
export function describeServing({ version, table, address, port, adminPort, keyed }: Serving, colours: Colours): string {
  const { bold, dim, cyan } = colours;
  const base = `${baseURL(address, port)}/v1`;
  const first = table.chains.find(({ unroutable }) => unroutable === null)?.modelNames.find((name) => name !== '*') ?? 'any-model';
  const key = keyed ? ` -H "authorization: Bearer $BELAY_CLIENT_KEY"` : '';
  const body = JSON.stringify({ model: first, messages: [{ role: 'user', content: 'Say hello.' }] });
  return [
    `${bold(`Belay ${version}`)} serves namespace ${bold(table.namespace)} at ${bold(base)} ${dim(`(probes and metrics on ${adminPort})`)}`,
    ...table.chains.map((chain) => describeChain(chain, colours)),
    '',
    `  ${cyan(`export OPENAI_BASE_URL=${base}`)}`,
    `  ${cyan(`curl ${base}/chat/completions -H 'content-type: application/json'${key} -d '${body}'`)}`,
    '',
  ].join('\n') + '\n';
}

function describeChain({ modelNames, targets, unroutable, fallbackMode, latencyBudgetMs }: ChainEntry, { bold, dim, red }: Colours): string {
  const names = modelNames.map((name) => (name === '*' ? 'any other name' : name)).join(', ');
  if (unroutable !== null) return `  ${bold(names)}  ${red(`cannot be served: ${unroutable}`)}`;
  const order = targets.map(({ name, model, suspended }) => {
    const label = model === '*' || model === name ? name : `${name} (${model})`;
    return suspended ? dim(`${label}, suspended`) : label;
  });
  const budget = latencyBudgetMs === null ? '' : `, ${latencyBudgetMs / 1000} s to first content`;
  return `  ${bold(names)}  ${order.join(' > ')}  ${dim(`${fallbackMode}${budget}`)}`;
}

/** An address that a client on this machine can use: 0.0.0.0 is no destination. */
function baseURL(address: string, port: number): string {
  const anywhere = address === '0.0.0.0' || address === '::';
  const host = anywhere || (isLoopback(address) && isIP(address) === 4) ? '127.0.0.1' : address;
  return `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
