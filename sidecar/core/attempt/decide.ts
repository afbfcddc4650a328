import { runningAttempts } from './request-state.ts';
import { budgetIsSpent } from './time-limits.ts';
import { cancelLosers, endHedging, finish, settle, type Turn } from './turn.ts';

/** Picks the winner once somebody answered, commits it, and ends the request where its answer is whole. */
export function decide(turn: Turn): void {
  const { state, plan } = turn;
  if (state.winner === null) {
    const chosen = chooseWinner(turn);
    if (chosen === null) return;
    state.winner = chosen;
    state.retries = [];
    endHedging(turn);
    cancelLosers(turn, chosen);
    if (plan.streamsToClient) commit(turn, chosen);
  }
  if (state.attempts[state.winner]?.phase !== 'Completed') return;
  commit(turn, state.winner);
  settle(turn, state.winner, 'Ok', null, 'Ok');
  finish(turn, { type: 'answered', attempt: state.winner });
}

function commit(turn: Turn, attempt: number): void {
  if (turn.state.committed !== null) return;
  turn.state.committed = attempt;
  turn.effects.push({ type: 'commit', attempt });
}

/** The first that answered, unless the primary may still come before it; null: nobody yet. */
function chooseWinner(turn: Turn): number | null {
  const { attempts } = turn.state;
  const answered = runningAttempts(turn.state)
    .filter((number) => attempts[number]?.answeredMs !== null)
    .sort((a, b) => (attempts[a]?.answeredMs ?? 0) - (attempts[b]?.answeredMs ?? 0));
  if (!primaryIsPreferred(turn)) return answered[0] ?? null;
  return answered.includes(0) ? 0 : null;
}

/** Inside the budget the primary wins even if it is slower; its preference ends with its first failure. */
function primaryIsPreferred({ plan, state, nowMs }: Turn): boolean {
  return state.racing && plan.race.prefer === 'Primary' && plan.latencyBudgetMs !== null && !state.primaryFailed
    && !budgetIsSpent(plan, state, nowMs) && runningAttempts(state).includes(0);
}
