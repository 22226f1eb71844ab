import type { Answer, Detection, Model } from './types';
import { addViews, type ViewChoice } from './views';

/** What is shown of an answer: the parameters of the service, applied here without asking it again. */
export interface Filter {
  threshold: number;
  /** Infinity for all. */
  most: number;
  hidden: ReadonlySet<string>;
}

export interface Shown {
  /** Place in the answer. */
  index: number;
  detection: Detection;
}

/** Threshold, then count, then labels: the order in which the service applies its parameters. */
export function shown(answer: Answer, filter: Filter): Shown[] {
  return answer.detections
    .map((detection, index) => ({ index, detection }))
    .filter(({ detection }) => detection.score >= filter.threshold)
    .slice(0, filter.most)
    .filter(({ detection }) => !filter.hidden.has(detection.label));
}

/** The same as parameters of a request that takes these views. */
export function parameters(filter: Filter, model: Model, views: ViewChoice | undefined): URLSearchParams {
  const query = new URLSearchParams();
  if (!model.isDefault) {
    query.set('model', model.name);
  }

  query.set('scoreThreshold', String(filter.threshold));
  if (filter.most < Infinity) {
    query.set('maxDetections', String(filter.most));
  }

  if (filter.hidden.size > 0) {
    const kept = model.classes.filter(({ label }) => !filter.hidden.has(label));
    query.set('labels', kept.map(({ label }) => label).join(','));
  }

  addViews(query, views);
  return query;
}

/** Whether any class is shown: the service cannot be asked for none. */
export function hasClasses(filter: Filter, model: Model): boolean {
  return model.classes.some(({ label }) => !filter.hidden.has(label));
}
