import { attemptAt, runningAttempts } from './request-state.ts';
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
  if (attemptAt(state, state.winner).phase !== 'Completed') return;
  commit(turn, state.winner);
  settle(turn, state.winner, 'Ok', null, 'Ok');
  finish(turn, { type: 'answered', attempt: state.winner });
}

function commit(turn: Turn, attempt: number): void {
  if (turn.state.committed !== null) return;
  turn.state.committed = attempt;
  turn.effects.push({ type: 'commit', attempt });
}

/** Who answered, unless the primary may still come before it; null: nobody yet. */
function chooseWinner(turn: Turn): number | null {
  const { state } = turn;
  const answered = runningAttempts(state).filter((number) => attemptAt(state, number).answeredMs !== null);
  // Attempt 0 stands first: where two have answered, one was held for the primary.
  const [chosen = null] = answered;
  return chosen !== 0 && primaryIsPreferred(turn) ? null : chosen;
}

/** Inside the budget the primary wins even if it is slower; its preference ends with its first failure, for a retry is another attempt. */
function primaryIsPreferred({ plan, state, nowMs }: Turn): boolean {
  return state.racing && plan.race.prefer === 'Primary' && plan.latencyBudgetMs !== null
    && !budgetIsSpent(plan, state, nowMs) && runningAttempts(state).includes(0);
}
