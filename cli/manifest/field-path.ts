/** A field path, one step a field (text) or list index (number). */
export type FieldPath = readonly (string | number)[];

/** As the API server prints it: `spec.targets[1].providerRef.name`; a name with dots, slashes or the like stands in brackets. */
export function formatFieldPath(path: FieldPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[A-Za-z0-9_$-]+$/.test(step)) text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** Reads what `formatFieldPath` writes. What stands in brackets is an index if it is a number, else a name. */
export function parseFieldPath(text: string): FieldPath {
  const path: (string | number)[] = [];
  for (const [, name, bracketed] of text.matchAll(/\.?([^.[\]]+)|\[([^\]]*)\]/g)) {
    if (name !== undefined) path.push(name);
    else if (bracketed !== undefined) path.push(/^\d+$/.test(bracketed) ? Number(bracketed) : bracketed);
  }
  return path;
}
