import { count, place } from './text';
import type { Answer, Explanation, ImageView, Proposal } from './types';

export type Merge = 'nms' | 'voting' | 'ios';

/** Which looks are taken at a picture, as the parameters of a request say it. */
export interface ViewChoice {
  /** Size of slices in pixels of the picture: '640', or height x width as in '480x640'. Absent: it is not cut. */
  slice?: string;
  /** The part of a slice that its neighbor shows, too. */
  overlap: number;
  /** Whether slices are joined by a look at the whole picture. */
  wholeImage: boolean;
  /** Shorter sides after resizing, in pixels; empty for the model's own size. */
  scales: number[];
  /** Whether every look is taken a second time, mirrored. */
  flip: boolean;
  merge: Merge;
  /** Absent: as is usual for the way of merging. */
  mergeThreshold?: number;
}

/** What the service takes: sides in pixels, and how many sizes. */
const [smallest, largest, mostScales] = [32, 16_384, 16];

/** Whether a choice can take more than one look. */
export function isMoreThanOne({ slice, scales, flip }: ViewChoice): boolean {
  return slice !== undefined || scales.length > 0 || flip;
}

/** Adds a choice to a request. What is off is said too: a model's package may have it on. */
export function addViews(query: URLSearchParams, views: ViewChoice | undefined): void {
  if (!views) {
    return;
  }

  query.set('slice', views.slice ?? 'off');
  if (views.slice !== undefined) {
    query.set('overlap', String(views.overlap));
    query.set('wholeImage', String(views.wholeImage));
  }

  query.set('scales', views.scales.join(',') || 'off');
  query.set('flip', String(views.flip));
  if (isMoreThanOne(views)) {
    query.set('merge', views.merge);
    if (views.mergeThreshold !== undefined) {
      query.set('mergeThreshold', String(views.mergeThreshold));
    }
  }
}

/** Reads the size of slices as it is typed, in the form of the parameter; undefined for anything else. */
export function readSlice(text: string): string | undefined {
  const sides = text.toLowerCase().replace('×', 'x').split('x').map(readSide);
  return sides.length <= 2 && sides.every(side => side !== undefined) ? sides.join('x') : undefined;
}

/** Reads sizes as they are typed, separated by commas or spaces; undefined for anything else. */
export function readScales(text: string): number[] | undefined {
  const sides = text.split(/[\s,]+/).filter(part => part !== '').map(readSide);
  return sides.length <= mostScales && sides.every(side => side !== undefined) ? sides : undefined;
}

function readSide(text: string): number | undefined {
  const side = /^\s*\d+\s*$/.test(text) ? Number(text) : NaN;
  return side >= smallest && side <= largest ? side : undefined;
}

/** "3 of 12: 320 × 320 at 280, 0, mirrored" */
export function describeView(at: number, views: ImageView[], image: Answer['image']): string {
  const view = views[at]!;
  return [
    `${at + 1} of ${views.length}: ${isWhole(view, image) ? 'the whole picture' : place(view.region)}`,
    ...(view.minSize === undefined ? [] : [`shorter side ${view.minSize}`]),
    ...(view.mirrored ? ['mirrored'] : []),
  ].join(', ');
}

/** "The whole picture and 5 slices, each as it is and mirrored" */
export function describeViews(views: ImageView[], image: Answer['image']): string {
  const slices = new Set(views.filter(view => !isWhole(view, image)).map(({ region }) => place(region))).size;
  const sizes = new Set(views.map(({ minSize }) => minSize)).size;
  const parts = [
    ...(views.some(view => isWhole(view, image)) ? ['The whole picture'] : []),
    ...(slices > 0 ? [count(slices, 'slice')] : []),
  ];
  return parts.join(' and ')
    + (sizes > 1 ? `, in ${sizes} sizes` : '')
    + (views.some(({ mirrored }) => mirrored) ? ', each as it is and mirrored' : '');
}

function isWhole({ region }: ImageView, { width, height }: Answer['image']): boolean {
  return region.x1 === 0 && region.y1 === 0 && region.x2 === width && region.y2 === height;
}

const ranked = new WeakMap<Explanation, Proposal[]>();

/** Proposals best first, whichever view they were made in. */
export function bestFirst(explain: Explanation): Proposal[] {
  const known = ranked.get(explain)
    ?? (explain.views ? explain.proposals.toSorted((a, b) => b.objectness - a.objectness) : explain.proposals);
  ranked.set(explain, known);
  return known;
}

/** A proposal's place, counted from 1, among those of its own view, and how many they are. */
export function rankInView({ proposals }: Explanation, index: number): [rank: number, of: number] {
  const { view } = proposals[index]!;
  const first = proposals.findIndex(other => other.view === view);
  return [index - first + 1, proposals.filter(other => other.view === view).length];
}
