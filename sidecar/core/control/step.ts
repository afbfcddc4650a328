import { describeProblem, readableSchemaVersions, selectChains, silenceLimitMs, streamProtocol, type Bootstrap, type ChainReport, type Parsed, type Problem, type ReceivedServerFrame, type SidecarEnvironment } from '@belay/contract';
import { applySnapshot, describeForeignTable } from './apply-snapshot.ts';
import type { ControlEffect, ControlEvent, ControlState, ControlStep, ControlTools, LossCause } from './control-protocol.ts';

/** A connection that is not answered by then is given up. */
const connectLimitMs = 10_000;
const firstPauseMs = 500;
const longestPauseMs = 30_000;

export function initialControlState({ podName, podUid, namespace, chains }: Pick<SidecarEnvironment, 'podName' | 'podUid' | 'namespace' | 'chains'>): ControlState {
  return {
    pod: podName, uid: podUid, namespace, chains, phase: 'idle', connection: 0, failures: 0, reread: false, leaving: false,
    have: { endpoints: null, keys: null, hints: null, table: null }, delivered: { table: false, endpoints: false },
  };
}

/**
 * What a sidecar does next. Total: any event in any state; what comes from a connection that is no longer the current one does nothing, but that a
 * table which was applied stays applied.
 */
export function stepControl(state: ControlState, event: ControlEvent, tools: ControlTools): ControlStep {
  if (state.phase === 'closed') return { state, effects: [] };
  switch (event.type) {
    case 'started': return start(state);
    case 'bootstrap-read': return bootstrap(state, event.bootstrap, tools);
    case 'connected':
    case 'frame-received':
    case 'connection-lost': return event.connection === state.connection ? stepConnection(state, event, tools) : { state, effects: [] };
    case 'timer-fired': return event.timer === 'silence' ? fallSilent(state, tools) : reconnect(state);
    case 'table-settled': return settle(state, event);
    case 'report-made': return report(state, event.chains);
    case 'closed': return close(state);
  }
}

type ConnectionEvent = Extract<ControlEvent, { type: 'connected' | 'frame-received' | 'connection-lost' }>;

/** Of the current connection. */
function stepConnection(state: ControlState, event: ConnectionEvent, tools: ControlTools): ControlStep {
  if (event.type === 'connected' && state.phase === 'connecting') return greet(state);
  if (event.type === 'frame-received' && state.phase === 'open') return hear(state, event.frame, tools);
  if (event.type === 'connection-lost' && (state.phase === 'open' || state.phase === 'connecting')) return lose(state, event.cause, event.detail, tools);
  return { state, effects: [] };
}

function start(state: ControlState): ControlStep {
  return state.phase === 'idle' ? connect(state) : { state, effects: [] };
}

/** Totals: one that is dropped is in the next. */
function report(state: ControlState, chains: readonly ChainReport[]): ControlStep {
  return { state, effects: state.phase === 'open' ? [{ type: 'send', connection: state.connection, frame: { frame: 'report', chains } }] : [] };
}

function connect(state: ControlState): ControlStep {
  const connection = state.connection + 1;
  return {
    state: { ...state, phase: 'connecting', connection, leaving: false },
    effects: [{ type: 'disarm-timer', timer: 'reconnect' }, { type: 'arm-timer', timer: 'silence', delayMs: connectLimitMs }, { type: 'connect', connection }],
  };
}

function greet(state: ControlState): ControlStep {
  const { pod, uid, chains, have, connection } = state;
  return {
    state: { ...state, phase: 'open' },
    effects: [
      { type: 'arm-timer', timer: 'silence', delayMs: silenceLimitMs },
      { type: 'send', connection, frame: { frame: 'hello', pod, uid, chains, have, protocol: streamProtocol, schemaVersions: readableSchemaVersions } },
    ],
  };
}

/** Whatever is heard, also a bad line, shows that somebody is there; only a frame ends the back-off. */
function hear(state: ControlState, frame: Parsed<ReceivedServerFrame>, { random }: ControlTools): ControlStep {
  const alive: ControlEffect = { type: 'arm-timer', timer: 'silence', delayMs: silenceLimitMs };
  if (!frame.ok) return { state, effects: [alive, { type: 'log', level: 'warn', event: 'frame-refused', message: `The distributor sent a frame that is ignored: ${sentence(frame.problems)}.` }] };
  const { state: next, effects } = act({ ...state, failures: 0, reread: false }, frame.value, random);
  return { state: next, effects: [alive, ...effects] };
}

function act(state: ControlState, frame: ReceivedServerFrame, random: () => number): ControlStep {
  switch (frame.frame) {
    case 'snapshot': return applySnapshot(state, frame);
    case 'goaway': return {
      state: { ...state, leaving: true },
      effects: [{ type: 'arm-timer', timer: 'reconnect', delayMs: Math.round(random() * Math.min(longestPauseMs, Math.max(firstPauseMs, frame.reconnectWithinMs))) }],
    };
    // This release asks for no lease.
    case 'lease':
    case 'ping': return { state, effects: [] };
  }
}

function lose(state: ControlState, cause: LossCause, detail: string, { random }: ControlTools): ControlStep {
  const quiet: ControlEffect = { type: 'disarm-timer', timer: 'silence' };
  // Its moment is drawn already.
  if (state.leaving) return { state: { ...state, phase: 'waiting' }, effects: [quiet] };
  const log: ControlEffect = { type: 'log', level: 'warn', event: 'distributor-lost', message: `The connection to the distributor ended: ${detail}. What was delivered is served on.` };
  if (cause !== 'Other' && !state.reread) {
    const again = connect({ ...state, reread: true });
    return { state: again.state, effects: [log, ...again.effects] };
  }
  const ceilingMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(state.failures, 10));
  return {
    state: { ...state, phase: 'waiting', failures: state.failures + 1 },
    effects: [quiet, log, { type: 'arm-timer', timer: 'reconnect', delayMs: Math.round(random() * ceilingMs) }],
  };
}

function fallSilent(state: ControlState, tools: ControlTools): ControlStep {
  if (state.phase !== 'open' && state.phase !== 'connecting') return { state, effects: [] };
  const limitMs = state.phase === 'open' ? silenceLimitMs : connectLimitMs;
  const lost = lose(state, 'Other', `nothing was heard for ${limitMs / 1_000} s`, tools);
  return { state: lost.state, effects: [{ type: 'close-connection', connection: state.connection }, ...lost.effects] };
}

/** After a pause, or away from a distributor that will go. */
function reconnect(state: ControlState): ControlStep {
  if (state.phase === 'waiting') return connect(state);
  if (state.phase !== 'open' || !state.leaving) return { state, effects: [] };
  const next = connect(state);
  return { state: next.state, effects: [{ type: 'close-connection', connection: state.connection }, ...next.effects] };
}

/** Its table is hashed anew: a ConfigMap can be edited, and a version that is not the content's would keep the right table from coming. */
function bootstrap(state: ControlState, read: Parsed<Bootstrap>, { sha256Hex }: ControlTools): ControlStep {
  if (!read.ok) return { state, effects: [{ type: 'log', level: 'warn', event: 'bootstrap-refused', message: `The bootstrap copy is not used: ${sentence(read.problems)}.` }] };
  const { table, endpoints } = read.value;
  const refusal = describeForeignTable(table, state.namespace);
  if (refusal !== null) return { state, effects: [{ type: 'log', level: 'warn', event: 'bootstrap-refused', message: `The bootstrap copy is not used: ${refusal}.` }] };
  const selected = selectChains(table, state.chains, sha256Hex);
  return {
    state,
    effects: [
      ...(state.delivered.endpoints ? [] : [{ type: 'apply-endpoints', endpoints } as const]),
      ...(state.delivered.table ? [] : [{ type: 'apply-table', source: null, version: selected.version, table: selected } as const]),
    ],
  };
}

function settle(state: ControlState, { source, version, refusal }: Extract<ControlEvent, { type: 'table-settled' }>): ControlStep {
  const stale = source === null && state.delivered.table;
  const next = refusal === null && !stale ? { ...state, have: { ...state.have, table: version } } : state;
  // Whoever applies a table says so in the log; where it came from, the log has from here.
  const told: readonly ControlEffect[] = source === null && refusal === null ? [{ type: 'log', level: 'info', event: 'bootstrap-served', message: `Table ${version} is of the bootstrap copy.` }] : [];
  if (source === null || source.connection !== state.connection || state.phase !== 'open') return { state: next, effects: told };
  const frame = refusal === null ? { frame: 'ack', nonce: source.nonce } as const : { frame: 'nack', nonce: source.nonce, error: refusal } as const;
  return { state: next, effects: [...told, { type: 'send', connection: source.connection, frame }] };
}

function close(state: ControlState): ControlStep {
  const up = state.phase === 'open' || state.phase === 'connecting';
  return {
    state: { ...state, phase: 'closed' },
    effects: [{ type: 'disarm-timer', timer: 'silence' }, { type: 'disarm-timer', timer: 'reconnect' }, ...(up ? [{ type: 'close-connection', connection: state.connection } as const] : [])],
  };
}

function sentence(problems: readonly Problem[]): string {
  return problems.map(describeProblem).join('; ');
}
