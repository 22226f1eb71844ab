// What the service answers, as its OpenAPI document describes it. Boxes are in pixels of the picture as displayed.

export interface Box {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

export interface Detection {
  label: string;
  classId: number;
  score: number;
  box: Box;
  /** Absent for end-to-end models. */
  level?: string;
}

export interface Proposal {
  box: Box;
  objectness: number;
  level: string;
  /** Place of the view that it was proposed in; only where views were merged. */
  view?: number;
}

/** One look at the picture: a part of it, in a size, perhaps mirrored. */
export interface ImageView {
  region: Box;
  /** The shorter side after resizing; absent for the model's own size. */
  minSize?: number;
  mirrored: boolean;
}

/** A detection that merging removed. */
export interface Merged {
  box: Box;
  score: number;
  view: number;
}

export interface Anchor {
  box: Box;
  level: string;
  size: number;
  aspectRatio: number;
}

export interface Suppressed {
  box: Box;
  score: number;
  iou: number;
  proposalIndex: number;
}

export interface Origin {
  level: string;
  proposalIndex: number;
  proposal: Proposal;
  anchor: Anchor;
  suppressed: Suppressed[];
  /** Place of the view that found it; only where views were merged, like `merged`. */
  view?: number;
  merged?: Merged[];
}

export interface Explanation {
  candidates: number;
  /** One for each detection of the answer, in its order. */
  detections: Origin[];
  /** Best objectness first; of several views one view after the other. */
  proposals: Proposal[];
  /** Absent where the picture was looked at once. */
  views?: ImageView[];
}

export interface Timings {
  decodeMs: number;
  preprocessMs: number;
  queueMs: number;
  inferenceMs: number;
  postprocessMs: number;
  totalMs: number;
}

/** What every answer says. */
export interface Envelope {
  model: string;
  modelVersion: string;
  image: { width: number; height: number; format: string };
  timings: Timings;
  batchSize: number;
}

export interface Answer extends Envelope {
  detections: Detection[];
  /** How many views were merged; only where more than one look was asked for. */
  views?: number;
  explain?: Explanation;
}

/** The first stage alone. */
export interface ProposalsAnswer extends Envelope {
  /** Best objectness first. */
  proposals: Proposal[];
}

/** The second stage alone. */
export interface RegionsAnswer extends Envelope {
  /** One for each box of the request, in its order. */
  regions: RegionResult[];
}

export type RegionResult = Region | { error: string };

/** What the second stage makes of a box. */
export interface Region {
  /** The best classes, best first. */
  scores: { label: string; classId: number; score: number }[];
  /** With the scores of all classes it makes 1. */
  background: number;
  /** The box as refined for the best class. */
  box: Box;
  level: string;
}

export type AnyAnswer = Answer | ProposalsAnswer | RegionsAnswer;

export interface Model {
  name: string;
  version: string;
  isDefault: boolean;
  layout: 'two-stage' | 'end-to-end';
  convention: string;
  description: string | null;
  license: string | null;
  source: string | null;
  input: { minSize: number; maxSize: number };
  scoreThreshold: number;
  maxDetections: number;
  classes: { label: string; classId: number }[];
  execution: { provider: 'cpu' | 'cuda'; device: string; reason: string };
  batching: {
    maxBatchSize: number;
    buckets: string[];
    fixedShapes: boolean;
    curve: { batchSize: number; imagesPerSecond: number }[];
  };
}

export interface Settings {
  maxImageBytes: number;
  maxImagePixels: number;
  /** Names of the image formats that the service reads, as people write them. */
  formats: string[];
  samples: Sample[];
}

/** A picture to try, and the model that knows what is in it. */
export interface Sample {
  model: string;
  name: string;
}

/** A problem of the service (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  parameter?: string;
}
