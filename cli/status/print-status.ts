import type { FallbackChain } from '@belay/operator/core/resources/fallback-chain.ts';
import { printable, printTable } from '../output/print-table.ts';
import type { Colours } from '../run/colours.ts';
import type { ClusterState, OperatorState, PodCount } from './cluster-state.ts';
import { describeAge, titleOf, type Trouble } from './trouble.ts';

/** One screen: a chain and its targets in two lines each, then what is wrong in words, then the operator. */
export function printStatus({ chains, providers, operator }: ClusterState, troubles: readonly Trouble[], where: string, colours: Colours): string {
  const blocks = [
    chains.length === 0 ? `There is no FallbackChain in ${where}.` : chainLines(chains, colours).join('\n'),
    troubleLines(troubles, chains.length + providers.length, colours).join('\n'),
    colours.dim(describeOperator(operator)),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function chainLines(chains: readonly FallbackChain[], { bold, dim }: Colours): readonly string[] {
  const header = ['CHAIN', 'SERVING', 'READY', 'SIDECARS'];
  const rows = chains.map((chain) => [titleOf(chain), printable(chain.status?.serving ?? ''), readyOf(chain), sidecarsOf(chain)]);
  const [head = '', ...lines] = printTable([header, ...rows]);
  const indent = ' '.repeat(Math.max(...[header, ...rows].map(([name = '']) => name.length)) + 2);
  return [bold(head), ...lines.flatMap((line, index) => [line, dim(`${indent}${targetsOf(chains[index])}`)])];
}

function readyOf({ status }: FallbackChain): string {
  const ready = status?.conditions.find(({ type }) => type === 'Ready');
  if (ready === undefined || ready.status === 'Unknown') return 'unknown';
  return ready.status === 'True' ? 'yes' : `no, ${printable(ready.reason)}`;
}

function sidecarsOf({ status }: FallbackChain): string {
  const { connected = 0, current = 0, rejected = 0 } = status?.sidecars ?? {};
  return `${current}/${connected}${rejected === 0 ? '' : `, ${rejected} refused`}`;
}

/** `opus Unhealthy 0% > gemini Healthy 99.8% 640 ms > local Loading` */
function targetsOf(chain: FallbackChain | undefined): string {
  const { targets = [], summary = '' } = chain?.status ?? {};
  if (targets.length === 0) return printable(summary === '' ? (chain?.spec.targets ?? []).map(({ name, providerRef }) => name ?? providerRef.name).join(' > ') : summary);
  return printable(targets.map(({ name, health, successRate, firstContentP50Ms }) =>
    [name, health, ...(successRate === undefined ? [] : [successRate]), ...(firstContentP50Ms === undefined ? [] : [`${firstContentP50Ms} ms`])].join(' ')).join(' > '));
}

function troubleLines(troubles: readonly Trouble[], resources: number, { bold, red, green }: Colours): readonly string[] {
  if (troubles.length === 0) return [resources === 0 ? 'Nothing to tell of.' : green('No problems.')];
  const width = Math.max(...troubles.map(({ subject }) => subject.length));
  const head = red(`${troubles.length} problem${troubles.length === 1 ? '' : 's'}`);
  return [head, ...troubles.map(({ subject, reason, message }) => `  ${bold(printable(subject).padEnd(width))}  ${printable(message)} (${printable(reason)})`)];
}

function describeOperator(operator: OperatorState): string {
  if (operator.kind === 'unknown') return `Operator: ${operator.detail}.`;
  if (operator.kind === 'missing') return 'Operator: not installed.';
  const { namespace, name, controller, webhook, lease } = operator;
  const count = (what: string, pods: PodCount | null): string => (pods === null ? `${what} not readable` : `${what} ${pods.ready} of ${pods.wanted} ready`);
  const held = lease === null ? 'lease not readable' : lease.holder === null ? 'lease held by nobody' : `lease held by ${lease.holder}, renewed ${describeAge(lease.renewedAgoMs)} ago`;
  return `Operator ${name} in ${namespace}: ${count('controller', controller)}, ${count('webhook', webhook)}, ${held}.`;
}
