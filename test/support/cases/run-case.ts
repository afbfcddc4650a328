import { performance } from 'node:perf_hooks';
import { startBelay, type BelayProcess } from '../belay-process.ts';
import { sendChat, sendWithSdk, type ChatRequest } from '../chat-client.ts';
import { createStandIn, type StandIn } from '../stand-in.ts';
import type { Case, Poll, Step } from './case-file.ts';
import { caseManifests, markOf, stepBody, withoutMark } from './case-manifests.ts';
import { checkCase } from './check-arrivals.ts';
import { checkStep } from './check.ts';
import type { Arrival, StepResult } from './step-result.ts';

export interface CaseResult {
  readonly id: string;
  readonly title: string;
  readonly ms: number;
  /** Sentences; none: the case holds. */
  readonly complaints: readonly string[];
}

/** Plays the upstreams of a case, serves it by `belay run`, sends its steps and checks what it expects. */
export async function runCase(one: Case, options: { readonly command?: readonly string[] } = {}): Promise<CaseResult> {
  const started = performance.now();
  const arrivals: Arrival[] = [];
  const standIns: StandIn[] = [];
  let belay: BelayProcess | null = null;
  let complaints: string[];
  try {
    for (const { name, script, model } of one.upstreams) {
      standIns.push(await createStandIn({
        name, script, model, onRequest: (seen) => void arrivals.push({ upstream: name, seen, text: withoutMark(seen.text) }),
      }));
    }
    const origins = Object.fromEntries(standIns.map(({ name, origin }) => [name, origin]));
    belay = await startBelay({ manifests: caseManifests(one, origins), ...(options.command === undefined ? {} : { command: options.command }) });
    const { results, problems } = await runSteps(one, belay.baseUrl, arrivals);
    complaints = [...problems, ...results.flatMap((result, index) => checkStep(one.steps[index]?.expect ?? {}, result).map((text) => `step ${index + 1}: ${text}`))];
    if (one.expect['closed'] !== undefined) await waitFor(() => arrivals.every(({ seen }) => seen.endedAtMs() !== null), 1_000);
    complaints.push(...checkCase(one.expect, arrivals, results));
  } catch (error) {
    complaints = [(error as Error).message];
  } finally {
    await belay?.close();
    await Promise.all(standIns.map((standIn) => standIn.close()));
  }
  return { id: one.id, title: one.title, ms: performance.now() - started, complaints };
}

interface Steps {
  readonly results: readonly StepResult[];
  /** What a poll's own rule says. */
  readonly problems: readonly string[];
}

async function runSteps({ steps }: Case, baseUrl: string, arrivals: readonly Arrival[]): Promise<Steps> {
  const startedMs = performance.now();
  const running: Promise<StepResult>[] = [];
  const problems: string[] = [];
  for (const [index, step] of steps.entries()) {
    const run = (): Promise<StepResult> => runStep(step, { index, baseUrl, arrivals, problems });
    if (step.at !== null) {
      running.push(pause(startedMs + step.at - performance.now()).then(run));
      continue;
    }
    await Promise.all(running);
    await pause(step.after);
    running.push(run());
  }
  return { results: await Promise.all(running), problems };
}

interface StepContext {
  readonly index: number;
  readonly baseUrl: string;
  readonly arrivals: readonly Arrival[];
  readonly problems: string[];
}

async function runStep(step: Step, context: StepContext): Promise<StepResult> {
  if (step.poll === null) return ask(step, 0, context);
  const untilMs = performance.now() + step.poll.for;
  for (let repetition = 0; ; repetition++) {
    const askedAtMs = performance.now();
    const result = await ask(step, repetition, context);
    if (served(step.poll, result)) return result;
    if (performance.now() > untilMs) {
      context.problems.push(`step ${context.index + 1}: ${step.poll.until} did not serve within ${step.poll.for} ms, ${repetition + 1} requests`);
      return result;
    }
    const wrong = checkStep(step.expect, result);
    if (wrong.length > 0) context.problems.push(...wrong.map((text) => `step ${context.index + 1}, request ${repetition + 1}: ${text}`));
    await pause(askedAtMs + step.poll.every - performance.now());
  }
}

/** The upstream that the poll waits for gave the answer, which ended well. */
function served(poll: Poll, { outcome, arrivals }: StepResult): boolean {
  const good = outcome.status === 200 && (outcome.end === 'json' || outcome.end === 'normal');
  return good && arrivals.at(-1)?.upstream === poll.until && (poll.text === null || outcome.text === poll.text);
}

async function ask(step: Step, repetition: number, { index, baseUrl, arrivals }: StepContext): Promise<StepResult> {
  const mark = markOf(index + 1, repetition);
  const { body, marked } = stepBody(step, mark);
  const chat: ChatRequest = {
    baseUrl, body, headers: step.headers, chunked: step.chunked,
    ...(step.abortAfterMs === null ? {} : { abortAfterMs: step.abortAfterMs }),
    ...(step.abortAfterEvents === null ? {} : { abortAfterEvents: step.abortAfterEvents }),
  };
  const sentAtMs = performance.now();
  const outcome = await (step.client === 'openai' ? sendWithSdk(chat) : sendChat(chat));
  const endedAtMs = performance.now();
  // The upstream may still be about to notice that its caller has gone.
  if (outcome.aborted) await waitFor(() => arrivals.every(({ seen }) => seen.endedAtMs() !== null), 2_000);
  const mine = arrivals.filter(({ seen }) => (marked ? seen.text.includes(mark) : seen.atMs >= sentAtMs && seen.atMs <= endedAtMs));
  return { outcome, arrivals: mine, sentAtMs, endedAtMs };
}

async function waitFor(condition: () => boolean, limitMs: number): Promise<void> {
  const untilMs = performance.now() + limitMs;
  while (!condition() && performance.now() < untilMs) await pause(5);
}

function pause(ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}
