import type { Answer, Box, ProposalsAnswer, RegionsAnswer } from './types';
import { addViews, type ViewChoice } from './views';

/** What is asked about a picture: the whole model, its first stage alone, or its second stage alone. */
export type Ask = 'detections' | 'proposals' | 'regions';

export interface DetectionQuestion {
  about: 'detections';
  model: string;
  explain: boolean;
  /** Absent where the model takes the views that it always takes: one, unless its package says otherwise. */
  views?: ViewChoice;
}

/** Numbers of the first stage; those that are absent are the model's own. */
export interface ProposalChoice {
  topN?: number;
  nmsThreshold?: number;
  scoreThreshold?: number;
}

export interface ProposalQuestion {
  about: 'proposals';
  model: string;
  choice?: ProposalChoice;
}

export interface RegionQuestion {
  about: 'regions';
  model: string;
  /** Drawn by hand, in pixels of the picture as displayed. */
  boxes: readonly Box[];
}

export type Question = DetectionQuestion | ProposalQuestion | RegionQuestion;

/** An answer, what it was asked for, and how long it took from sending to arriving, in milliseconds. */
export interface Reply<Q, A> {
  asked: Q;
  answer: A;
  elapsed: number;
}

/** The last answer of each kind. */
export interface Replies {
  detections?: Reply<DetectionQuestion, Answer>;
  proposals?: Reply<ProposalQuestion, ProposalsAnswer>;
  regions?: Reply<RegionQuestion, RegionsAnswer>;
}

/** Whether the answer to one question answers the other, too. */
export function covers(asked: Question | undefined, wanted: Question): boolean {
  if (asked?.about !== wanted.about || asked.model !== wanted.model) {
    return false;
  }

  switch (wanted.about) {
    case 'detections': {
      const { views, explain } = asked as DetectionQuestion;
      return views === wanted.views && (explain || !wanted.explain);
    }

    case 'proposals':
      return (asked as ProposalQuestion).choice === wanted.choice;
    case 'regions':
      return (asked as RegionQuestion).boxes === wanted.boxes;
  }
}

/** Where a question is asked. */
export const paths: Record<Ask, string> = { detections: 'detect', proposals: 'proposals', regions: 'regions' };

/** The parameters of its request. */
export function queryOf(question: Question): URLSearchParams {
  const query = new URLSearchParams({ model: question.model });
  if (question.about === 'detections') {
    if (question.explain) {
      query.set('explain', 'true');
    }

    addViews(query, question.views);
  } else if (question.about === 'proposals') {
    Object.entries(question.choice ?? {}).forEach(([name, value]) => query.set(name, String(value)));
  }

  return query;
}

/** Boxes as a request lists them. */
export function boxesText(boxes: readonly Box[]): string {
  return JSON.stringify(boxes.map(({ x1, y1, x2, y2 }) => [x1, y1, x2, y2]));
}
