/** What a preset of this dialect does otherwise than OpenAI. */
export interface PresetDifferences {
  /**
   * False: `stream_options` is refused (Mistral answers 422 extra_forbidden), and usage comes without being asked for.
   */
  readonly takesStreamOptions: boolean;
}

const openai: PresetDifferences = { takesStreamOptions: true };
const different: { readonly [preset: string]: PresetDifferences } = {
  Mistral: { takesStreamOptions: false },
};

/** A server that names no preset is taken for one that does as OpenAI does. */
export function presetOf(preset: string | null): PresetDifferences {
  return (preset === null ? undefined : different[preset]) ?? openai;
}
