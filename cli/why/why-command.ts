import { applicationPort, describeProblem, sidecarContainerName, type Clock } from '@belay/contract';
import { hasStatus } from '@belay/operator/shell/kube/kube-error.ts';
import picocolors from 'picocolors';
import { stringify } from 'yaml';
import type { Cluster, ClusterOptions } from '../cluster/open-cluster.ts';
import { isOutputForm, outputFault, type CommandOutput, type OutputForm } from '../output/command-output.ts';
import { askDecision, type DecisionAnswer } from './ask-decision.ts';
import { findSidecarPod, type SidecarPod } from './find-pod.ts';
import { parseRequestId, type RequestId } from './parse-request-id.ts';
import { printDecision } from './print-decision.ts';

/** Options of `belay why` as the command line gives them. */
export interface RawWhyOptions extends ClusterOptions {
  readonly namespace?: string;
  readonly output?: string;
  readonly url?: string;
}

export interface WhyTools {
  readonly clock: Clock;
  /** Rejects with a sentence. */
  readonly openCluster: (options: ClusterOptions) => Promise<Cluster>;
}

/** `belay why ID`: resolves to the exit code: 0, 1 (no such decision, or nobody to ask), 2 (usage). */
export async function whyCommand(text: string, options: RawWhyOptions, output: CommandOutput, tools: WhyTools): Promise<number> {
  const { output: form = 'text' } = options;
  const complain = (sentence: string): void => output.complain(`belay why: ${sentence}\n`);
  const id = parseRequestId(text);
  const url = options.url === undefined ? null : URL.parse(options.url);
  const fault = usageFault(form, url, options);
  if (fault !== null || !id.ok || !isOutputForm(form)) {
    complain(fault ?? (id.ok ? outputFault(form) : id.problems.map(describeProblem).join('; ')));
    return 2;
  }
  const answer = url === null ? await askPod(id.value, options, tools) : await askUrl(id.value, url, tools);
  if (typeof answer === 'string') {
    complain(answer);
    return 1;
  }
  output.write(present(answer.decision, form, output.colour));
  return 0;
}

type Found = Extract<DecisionAnswer, { kind: 'found' }>;

function usageFault(form: string, url: URL | null, { url: text, namespace, context }: RawWhyOptions): string | null {
  if (!isOutputForm(form)) return outputFault(form);
  if (text === undefined) return null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return `--url takes the address of a sidecar, such as http://127.0.0.1:${applicationPort}, not ${text}`;
  return namespace === undefined && context === undefined ? null : '--url asks a sidecar itself: leave -n and --context out';
}

function present(decision: Found['decision'], form: OutputForm, colour: boolean): string {
  if (form === 'text') return printDecision(decision, picocolors.createColors(colour));
  return form === 'json' ? `${JSON.stringify(decision, null, 2)}\n` : stringify(decision);
}

/** A text says, in a sentence, why there is no answer. */
async function askUrl({ id }: RequestId, url: URL, { clock }: WhyTools): Promise<Found | string> {
  try {
    const answer = await askDecision(id, clock, { url });
    if (answer.kind === 'found') return answer;
    if (answer.kind === 'forgotten') return `${url.origin} keeps no decision ${id}: it keeps the last 256, and apart from them the last 256 that fell back or failed.`;
    return `${url.origin} is no sidecar of Belay: ${answer.detail}.`;
  } catch (error) {
    return `${url.origin} cannot be asked: ${messageOf(error)}.`;
  }
}

async function askPod(id: RequestId, options: RawWhyOptions, tools: WhyTools): Promise<Found | string> {
  const cluster = await tools.openCluster(options).catch(messageOf);
  if (typeof cluster === 'string') return cluster;
  try {
    const pod = await findSidecarPod({ client: cluster.client, name: id.pod, asked: options.namespace ?? null, namespace: cluster.namespace });
    return pod.ok ? await askSidecar(id, pod.value, cluster, tools) : `${pod.problems.map(describeProblem).join('; ')}.`;
  } catch (error) {
    return cluster.describe(error);
  } finally {
    cluster.close();
  }
}

async function askSidecar({ id }: RequestId, pod: SidecarPod, cluster: Cluster, { clock }: WhyTools): Promise<Found | string> {
  const { name, namespace = 'default' } = pod.metadata;
  const connection = await cluster.forward(namespace, name, applicationPort).catch((error: unknown) => refusalOf(error, namespace, cluster));
  if (typeof connection === 'string') return connection;
  try {
    const answer = await askDecision(id, clock, { createConnection: () => connection });
    if (answer.kind === 'found') return answer;
    if (answer.kind === 'foreign') return `Port ${applicationPort} of pod ${name} in namespace ${namespace} is no sidecar of Belay: ${answer.detail}.`;
    return `The sidecar of pod ${name} in namespace ${namespace} keeps no decision ${id}: it keeps the last 256, and apart from them the last 256 that fell back or failed${restartsOf(pod)}.`;
  } catch (error) {
    return `The sidecar of pod ${name} in namespace ${namespace} cannot be asked: ${messageOf(error)}.`;
  } finally {
    connection.destroy();
  }
}

function refusalOf(error: unknown, namespace: string, cluster: Cluster): string {
  if (hasStatus(error, 403)) return `You may not forward ports of pods in namespace ${namespace}: ask for get and create on pods/portforward there.`;
  return cluster.describe(error);
}

/** A sidecar that started again has forgotten, and counts from one. */
function restartsOf({ status }: SidecarPod): string {
  const restarts = status?.initContainerStatuses?.find(({ name }) => name === sidecarContainerName)?.restartCount ?? 0;
  return restarts === 0 ? '' : `; it has been restarted (${restarts} times), and forgot then what it kept`;
}

function messageOf(error: unknown): string {
  const text = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
  return text.replace(/\.$/, '');
}
