// Reads what /metrics says (Prometheus' text format), as much of it as the server view needs.

export interface Sample {
  labels: Record<string, string>;
  value: number;
}

export type Samples = Map<string, Sample[]>;

const line = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const label = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

export function parse(text: string): Samples {
  const samples: Samples = new Map();
  for (const row of text.split('\n')) {
    const match = line.exec(row);
    if (!match) {
      continue;
    }

    const labels: Record<string, string> = {};
    for (const [, name, value] of (match[2] ?? '').matchAll(label)) {
      labels[name!] = value!.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
    }

    const value = match[3] === '+Inf' ? Infinity : match[3] === '-Inf' ? -Infinity : Number(match[3]);
    const list = samples.get(match[1]!);
    if (list) {
      list.push({ labels, value });
    } else {
      samples.set(match[1]!, [{ labels, value }]);
    }
  }

  return samples;
}

/** The sum of a metric's series that have these labels; undefined without one. */
export function total(samples: Samples, name: string, labels: Record<string, string>): number | undefined {
  const fitting = matching(samples, name, labels);
  return fitting.length === 0 ? undefined : fitting.reduce((sum, sample) => sum + sample.value, 0);
}

/** Cumulated counts of a histogram by upper bound. */
export function buckets(samples: Samples, name: string, labels: Record<string, string>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const sample of matching(samples, `${name}_bucket`, labels)) {
    const bound = sample.labels['le'] === '+Inf' ? Infinity : Number(sample.labels['le']);
    counts.set(bound, (counts.get(bound) ?? 0) + sample.value);
  }

  return counts;
}

/** What came between two readings. A counter that fell began again. */
export function difference(now: Map<number, number>, before: Map<number, number>): Map<number, number> {
  const restarted = [...now].some(([bound, value]) => value < (before.get(bound) ?? 0));
  return restarted ? now : new Map([...now].map(([bound, value]) => [bound, value - (before.get(bound) ?? 0)]));
}

/** A quantile, linear inside its bucket, as Prometheus' own histogram_quantile; undefined without an observation. */
export function quantile(share: number, counts: Map<number, number>): number | undefined {
  const sorted = [...counts].sort(([a], [b]) => a - b);
  const all = sorted.at(-1)?.[1] ?? 0;
  if (!(all > 0)) {
    return undefined;
  }

  const rank = share * all;
  const at = sorted.findIndex(([, value]) => value >= rank);
  const [bound, value] = sorted[at]!;
  const [from, below] = at > 0 ? sorted[at - 1]! : [0, 0];
  if (bound === Infinity) {
    return from;
  }

  return value === below ? bound : from + ((bound - from) * (rank - below)) / (value - below);
}

function matching(samples: Samples, name: string, labels: Record<string, string>): Sample[] {
  const wanted = Object.entries(labels);
  return (samples.get(name) ?? []).filter(sample => wanted.every(([key, value]) => sample.labels[key] === value));
}
