/** Rows in columns as wide as their widest cell, two spaces apart, without a space at the end of a line. */
export function printTable(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => { widths[column] = Math.max(widths[column] ?? 0, cell.length); });
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd());
}

/** Text of somebody else's on a terminal: no control characters. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}
