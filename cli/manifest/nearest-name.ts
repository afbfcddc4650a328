/** The known name that is closest to a mistyped one (optimal string alignment), if it is close enough to be meant; else null. */
export function nearestName(name: string, known: Iterable<string>): string | null {
  const limit = Math.max(1, Math.floor(name.length / 3));
  let best: string | null = null;
  let bestDistance = limit + 1;
  for (const candidate of known) {
    const distance = candidate.toLowerCase() === name.toLowerCase() ? 0 : editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
function editDistance(from: string, to: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) current.push(cheapest(from, to, row, column, { beforeLast, last, current }));
    [beforeLast, last] = [last, current];
  }
  return last[to.length] ?? 0;
}

interface Rows {
  readonly beforeLast: readonly number[];
  readonly last: readonly number[];
  readonly current: readonly number[];
}

/** The cost of turning the first `row` letters of one text into the first `column` letters of the other. */
function cheapest(from: string, to: string, row: number, column: number, { beforeLast, last, current }: Rows): number {
  const at = (costs: readonly number[], index: number): number => costs[index] ?? Infinity;
  const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
  return Math.min(
    at(last, column) + 1,
    at(current, column - 1) + 1,
    at(last, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1),
    swapped ? at(beforeLast, column - 2) + 1 : Infinity,
  );
}
