import { find, renderChart } from '../chart/render-chart.ts';

/** The chart's MutatingWebhookConfiguration of release `belay`, but for its address: the API server of the tests reaches no Service. */
export async function webhookConfiguration(port: number): Promise<object> {
  const rendered = find<{ readonly webhooks: readonly object[] }>(await renderChart(), 'MutatingWebhookConfiguration', 'belay-injector');
  return { ...rendered, webhooks: rendered.webhooks.map((webhook) => ({ ...webhook, clientConfig: { url: `https://127.0.0.1:${port}/inject` } })) };
}
