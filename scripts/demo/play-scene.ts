import type { BelayProcess } from '../../test/support/belay-process.ts';
import { sendWithSdk, type SdkOutcome } from '../../test/support/chat-client.ts';
import { readDecision, type ShownDecision } from '../../test/support/read-decision.ts';
import type { StandIn } from '../../test/support/stand-in.ts';
import { localTarget } from './demo-manifests.ts';
import { readPredictedTokens } from './predicted-tokens.ts';
import type { Behaviour, Expected, Scene } from './scenes.ts';

export interface Stage {
  readonly east: StandIn;
  readonly west: StandIn;
  readonly belay: BelayProcess;
}

/** What came of a scene. */
export interface Played {
  readonly outcome: SdkOutcome;
  readonly decision: ShownDecision | null;
  /** Targets that answered the requests of this scene, in order; one, but where a scene asks again. */
  readonly answeredBy: readonly string[];
  /** From the first request of the scene to the end of its last. */
  readonly ms: number;
  /** Why this is not what the scene expects; null: it is. */
  readonly complaint: string | null;
}

const againForMs = 15_000;
const againEveryMs = 250;

/** Makes the stand-ins behave, sends the request with the real SDK, and compares. */
export async function playScene(stage: Stage, scene: Scene): Promise<Played> {
  await behave(stage.east, scene.east);
  await behave(stage.west, scene.west);
  const started = performance.now();
  const answeredBy: string[] = [];
  for (;;) {
    const { outcome, decision, complaint } = await askOnce(stage, scene);
    answeredBy.push(decision?.target ?? outcome.headers['x-belay-target'] ?? 'nobody');
    const ms = performance.now() - started;
    if (complaint === null || scene.again !== true || ms > againForMs) return { outcome, decision, answeredBy, ms, complaint };
    await new Promise((resolve) => setTimeout(resolve, againEveryMs));
  }
}

export async function behave(standIn: StandIn, behaviour: Behaviour): Promise<void> {
  if (behaviour === 'refuses') return standIn.refuse();
  standIn.setScript(behaviour);
  await standIn.listen();
}

async function askOnce({ belay }: Stage, scene: Scene): Promise<Pick<Played, 'outcome' | 'decision' | 'complaint'>> {
  const local = scene.expected.kind === 'local';
  // A server that is not there yet, or still loads its model, has predicted nothing.
  const before = local ? ((await readPredictedTokens(belay)) ?? 0) : 0;
  const outcome = await sendWithSdk({
    baseUrl: belay.baseUrl,
    body: {
      model: scene.chain, max_tokens: 24, messages: [{ role: 'user', content: 'Say hello in a few words.' }],
      ...(scene.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
    },
  });
  const decision = await readDecision(belay.origin, outcome.headers);
  const complaint = complaintAbout(outcome, scene.expected) ?? (local ? await tokenComplaint(belay, before, outcome) : null);
  return { outcome, decision, complaint };
}

function complaintAbout(outcome: SdkOutcome, expected: Expected): string | null {
  const target = outcome.headers['x-belay-target'] ?? 'nobody';
  const wanted = wantedTarget(expected);
  const fromOther = wanted !== null && target !== wanted ? `${target} answered, expected ${wanted}` : null;
  return thrownComplaint(outcome, expected) ?? fromOther ?? textComplaint(target, outcome.text, expected);
}

/** The SDK throws where an answer is cut, and nowhere else. */
function thrownComplaint({ thrown }: SdkOutcome, { kind }: Expected): string | null {
  if (kind === 'cut') return thrown === null ? 'the SDK noticed nothing, expected that it throws' : null;
  return thrown === null ? null : `the SDK threw: ${thrown.message}`;
}

function textComplaint(target: string, text: string, expected: Expected): string | null {
  if ('text' in expected) return text === expected.text ? null : `${target} gave ${JSON.stringify(text)}, expected ${JSON.stringify(expected.text)}`;
  return text.trim() === '' ? `${target} gave no text` : null;
}

/** null: whoever. */
function wantedTarget(expected: Expected): string | null {
  if (expected.kind === 'any') return null;
  return expected.kind === 'local' ? localTarget : expected.target;
}

/** llama.cpp's own counter must have gone up by what the answer says it used: the answer is real, and counted once. */
async function tokenComplaint(belay: BelayProcess, before: number, { usage }: SdkOutcome): Promise<string | null> {
  const used = (usage as { readonly completion_tokens?: number } | null)?.completion_tokens;
  if (used === undefined) return 'the answer carries no usage';
  const limit = performance.now() + 3_000;
  let after = await readPredictedTokens(belay);
  while ((after === null || after - before < used) && performance.now() < limit) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    after = await readPredictedTokens(belay);
  }
  if (after === null) return 'llama.cpp shows no counter of tokens';
  return after - before === used ? null : `llama.cpp counted ${after - before} tokens, the answer's usage says ${used}`;
}
