import { useEffect, useState } from 'preact/hooks';
import { metrics } from './api';
import { buckets, difference, parse, quantile, total, type Samples } from './prometheus';

const every = 2000;
const remembered = 60;

/** What a model does now. Latencies in seconds; undefined where nothing is known. */
export interface Live {
  rate?: number;
  waiting?: number;
  meanBatch?: number;
  p50?: number;
  p95?: number;
  p99?: number;
  /** Nothing was answered since the last look: latencies are those since the start. */
  idle: boolean;
}

export interface LiveView {
  models: Map<string, Live>;
  /** Rates, oldest first. */
  history: Map<string, number[]>;
  /** Why there is nothing to see. */
  note?: string;
}

interface Reading {
  samples: Samples;
  at: number;
}

/** Reads /metrics every two seconds while it is used: what happens now is the difference of two readings. */
export function useLive(names: string[]): LiveView {
  const [view, setView] = useState<LiveView>({ models: new Map(), history: new Map() });
  const list = names.join('\n');
  useEffect(() => {
    let before: Reading | undefined;
    let stopped = false;
    const look = async () => {
      const answer = await metrics();
      if (stopped) {
        return;
      }

      if (!('text' in answer)) {
        setView(old => ({ ...old, note: reason(answer.status) }));
        return;
      }

      const now: Reading = { samples: parse(answer.text), at: performance.now() };
      const models = new Map(list.split('\n').map(name => [name, figures(name, now, before)]));
      setView(old => ({
        models,
        history: new Map([...models].map(([name, { rate }]) => {
          const rates = [...(old.history.get(name) ?? []), ...(rate === undefined ? [] : [rate])];
          return [name, rates.slice(-remembered)];
        })),
      }));
      before = now;
    };
    void look();
    const timer = setInterval(() => void look(), every);
    return () => {
      stopped = true;
      clearInterval(timer);
    };
  }, [list]);
  return view;
}

/** The figures of one model from one or two readings. */
export function figures(model: string, now: Reading, before: Reading | undefined): Live {
  const labels = { model };
  const grown = (name: string): number | undefined => {
    const value = total(now.samples, name, labels);
    const earlier = before && total(before.samples, name, labels);
    return value === undefined || earlier === undefined ? undefined : value < earlier ? value : value - earlier;
  };
  const latest = buckets(now.samples, 'fpn_request_duration_seconds', labels);
  const recent = before ? difference(latest, buckets(before.samples, 'fpn_request_duration_seconds', labels)) : latest;
  const idle = quantile(1, recent) === undefined;
  const durations = idle ? latest : recent;
  const answered = grown('fpn_request_duration_seconds_count');
  const [images, runs] = ['fpn_inferences_total', 'fpn_executions_total']
    .map(name => grown(name) || total(now.samples, name, labels));
  return {
    ...defined('rate', answered === undefined || !before ? undefined : answered / ((now.at - before.at) / 1000)),
    ...defined('waiting', total(now.samples, 'fpn_queue_depth', labels)),
    ...defined('meanBatch', images && runs ? images / runs : undefined),
    ...defined('p50', quantile(0.5, durations)),
    ...defined('p95', quantile(0.95, durations)),
    ...defined('p99', quantile(0.99, durations)),
    idle: idle && latest.size > 0,
  };
}

function defined<K extends string>(key: K, value: number | undefined): Partial<Record<K, number>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, number>);
}

function reason(status: number): string {
  return status === 404
    ? 'This service has no /metrics: there are no live figures.'
    : status === 401 || status === 403
      ? 'Your key does not open /metrics: there are no live figures.'
      : 'The figures could not be read; trying again …';
}
