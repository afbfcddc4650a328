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
    return { state: { ...state, delivered: { ...state.delivered, table: true } }, effects: [{ type: 'apply-table', source: { connection, nonce }, version, table: snapshot.data }] };
  }
  const effect = effectOf(snapshot);
  if (effect.type === 'refused') {
    return {
      state,
      effects: [
        { type: 'log', level: 'warn', event: `${snapshot.type}-refused`, message: `The ${snapshot.type} ${version} are refused, and those of before are kept: ${effect.error}.` },
        { type: 'send', connection, frame: { frame: 'nack', nonce, error: effect.error } },
      ],
    };
  }
  return { state: holding(state, snapshot.type, version), effects: [effect, { type: 'send', connection, frame: { frame: 'ack', nonce } }] };
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
