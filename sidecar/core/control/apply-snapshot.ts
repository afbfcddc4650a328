import { describeProblem, type Problem, type ReceivedSnapshot, type ResourceType } from '@belay/contract';
import type { ControlEffect, ControlState, ControlStep } from './control-protocol.ts';

/**
 * Keys, endpoints and hints apply at once and whole, whatever becomes of the table; what is refused leaves the last good ones. A table is answered
 * once it is known to compile.
 */
export function applySnapshot(state: ControlState, snapshot: ReceivedSnapshot): ControlStep {
  const { version, nonce } = snapshot;
  const { connection } = state;
  if (snapshot.type === 'table') {
    const refusal = describeForeignTable(snapshot.data, state.namespace);
    if (refusal !== null) return refused(state, snapshot, refusal);
    return { state: { ...state, delivered: { ...state.delivered, table: true } }, effects: [{ type: 'apply-table', source: { connection, nonce }, version, table: snapshot.data }] };
  }
  const effect = effectOf(snapshot);
  if (effect.type === 'refused') return refused(state, snapshot, effect.error);
  return { state: holding(state, snapshot.type, version), effects: [effect, { type: 'send', connection, frame: { frame: 'ack', nonce } }] };
}

/** What is wrong with a table that was made for another namespace, as a clause; null where it was not. Whoever compiles it says what else is wrong. */
export function describeForeignTable(table: unknown, own: string): string | null {
  const namespace = typeof table === 'object' && table !== null && 'namespace' in table ? table.namespace : undefined;
  return typeof namespace !== 'string' || namespace === own ? null : `the table is of namespace ${namespace}, and this pod is in ${own}`;
}

function refused(state: ControlState, { type, version, nonce }: ReceivedSnapshot, error: string): ControlStep {
  const { connection } = state;
  return {
    state,
    effects: [
      { type: 'log', level: 'warn', event: `${type}-refused`, message: `What came as ${type} ${version} is refused, and what was there before is kept: ${error}.` },
      { type: 'send', connection, frame: { frame: 'nack', nonce, error } },
    ],
  };
}

function holding(state: ControlState, type: ResourceType, version: string): ControlState {
  return { ...state, have: { ...state.have, [type]: version }, delivered: { ...state.delivered, endpoints: state.delivered.endpoints || type === 'endpoints' } };
}

type Effect = Extract<ControlEffect, { type: 'apply-keys' | 'apply-endpoints' | 'apply-hints' }> | { readonly type: 'refused'; readonly error: string };

function effectOf(snapshot: Exclude<ReceivedSnapshot, { type: 'table' }>): Effect {
  switch (snapshot.type) {
    case 'keys': return snapshot.data.ok ? { type: 'apply-keys', keys: snapshot.data.value } : refusal(snapshot.data.problems);
    case 'endpoints': return snapshot.data.ok ? { type: 'apply-endpoints', endpoints: snapshot.data.value } : refusal(snapshot.data.problems);
    case 'hints': return snapshot.data.ok ? { type: 'apply-hints', hints: snapshot.data.value } : refusal(snapshot.data.problems);
  }
}

function refusal(problems: readonly Problem[]): Effect {
  return { type: 'refused', error: problems.map(describeProblem).join('; ') };
}
