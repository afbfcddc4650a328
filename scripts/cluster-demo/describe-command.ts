const widest = 110;

/** A command as it is typed in a shell: quoted where it must be, and one option a line where it is too long for one. */
export function describeCommand(words: readonly string[]): string {
  const typed = words.map(quoted);
  const line = typed.join(' ');
  if (line.length <= widest) return line;
  return typed.reduce((text, word) => `${text}${/^--[a-z]/.test(word) ? ' \\\n      ' : ' '}${word}`);
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
