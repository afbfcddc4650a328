import { startBelay, type BelayProcess } from '../belay-process.ts';
import { sendWithSdk, type SdkOutcome } from '../chat-client.ts';
import { chainManifest, providerManifests, type Fields } from '../manifests.ts';
import { readDecision, type ShownDecision } from '../read-decision.ts';
import { createStandIn, type StandIn } from '../stand-in.ts';
import { budgetMs, type Behaviour, type FaultScenario, type Mode, type Wanted } from './fault-scenarios.ts';

/** One fault in one mode, asked in one way. Every cell has targets of its own, so that no cell spoils another's health. */
export interface Cell {
  readonly scenario: FaultScenario;
  readonly mode: Mode;
  readonly stream: boolean;
}

export interface CellResult {
  readonly cell: Cell;
  readonly outcome: SdkOutcome;
  readonly decision: ShownDecision | null;
  readonly complaints: readonly string[];
}

export function cellsOf(scenarios: readonly FaultScenario[]): readonly Cell[] {
  return scenarios.flatMap((scenario) => (['Sequential', 'Race'] as const).flatMap((mode) => [false, true].map((stream) => ({ scenario, mode, stream }))));
}

/** A running Belay with a chain, and two stand-ins, for each cell. */
export interface FaultBench {
  ask(cell: Cell): Promise<CellResult>;
  close(): Promise<void>;
}

export async function createFaultBench(cells: readonly Cell[]): Promise<FaultBench> {
  const standIns: StandIn[] = [];
  const manifests: Fields[] = [];
  for (const [index, cell] of cells.entries()) {
    const [a, b] = await Promise.all([standInOf('A', cell.scenario.a), standInOf('B', cell.scenario.b)]);
    standIns.push(a, b);
    manifests.push(
      ...[a, b].flatMap((standIn) => providerManifests({ name: `${standIn.name.toLowerCase()}-${index}`, spec: { dialect: 'OpenAI', baseURL: `${standIn.origin}/v1` } })),
      chainManifest(`chain-${index}`, {
        modelNames: [`chain-${index}`], fallbackMode: cell.mode, latencyBudget: `${budgetMs}ms`,
        ...(cell.mode === 'Race' ? { race: { extraRequests: '100%' } } : {}),
        targets: ['a', 'b'].map((name) => ({ name, providerRef: { name: `${name}-${index}` }, model: `model-of-${name}` })),
      }),
    );
  }
  const belay = await startBelay({ manifests });
  return {
    ask: (cell) => askCell(belay, cell, `chain-${cells.indexOf(cell)}`),
    close: async () => {
      await belay.close();
      await Promise.all(standIns.map((standIn) => standIn.close()));
    },
  };
}

async function standInOf(name: string, behaviour: Behaviour): Promise<StandIn> {
  const standIn = await createStandIn({ name, script: behaviour === 'refuses' ? [] : behaviour });
  if (behaviour === 'refuses') await standIn.refuse();
  return standIn;
}

async function askCell(belay: BelayProcess, cell: Cell, chain: string): Promise<CellResult> {
  const outcome = await sendWithSdk({ baseUrl: belay.baseUrl, body: { model: chain, stream: cell.stream, messages: [{ role: 'user', content: 'Say the words.' }] } });
  const decision = await readDecision(belay.origin, outcome.headers);
  return { cell, outcome, decision, complaints: compare(outcome, decision, cell.scenario.wanted(cell.mode, cell.stream)) };
}

function compare(outcome: SdkOutcome, decision: ShownDecision | null, wanted: Wanted): readonly string[] {
  const attempts = (decision?.attempts ?? []).map(({ target }) => target).join(',');
  const ms = outcome.firstContentMs ?? outcome.ms;
  const good = wanted.end === 'normal' || (wanted.end === 'json' && wanted.status === 200);
  const checks: readonly (readonly [boolean, string])[] = [
    [outcome.status === wanted.status, `status ${outcome.status}, expected ${wanted.status}`],
    [outcome.text === wanted.text, `text ${JSON.stringify(outcome.text)}, expected ${JSON.stringify(wanted.text)}`],
    [outcome.end === wanted.end, `end ${outcome.end}, expected ${wanted.end}`],
    [wanted.attempts.test(attempts), `attempts ${attempts}, expected ${String(wanted.attempts)}`],
    [ms >= wanted.minMs && ms <= wanted.maxMs, `${Math.round(ms)} ms, expected ${wanted.minMs} to ${wanted.maxMs}`],
    [(outcome.thrown === null) === good, good ? `the SDK threw ${outcome.thrown?.message}` : 'the SDK noticed nothing'],
    [outcome.sent === 1, `the SDK sent ${outcome.sent} requests, expected one: Belay's answer says x-should-retry: false`],
  ];
  return checks.flatMap(([holds, complaint]) => (holds ? [] : [complaint]));
}
