import { hasStatus } from '@belay/operator/shell/kube/kube-error.ts';

/** null where the API server says that the user may not. */
export async function allowed<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (hasStatus(error, 403)) return null;
    throw error;
  }
}
