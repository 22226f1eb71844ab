import { useEffect, useState } from 'preact/hooks';
import type { Fault } from './fault';
import type { Filter } from './filter';
import type { Ask, ProposalChoice, Question, Replies } from './question';
import type { Box, Envelope, Model, Settings } from './types';
import type { ViewChoice } from './views';

export type Page = 'pictures' | 'server';
export type Tab = 'results' | 'decision' | 'request';

/** A picture of the gallery. It stays until it is removed, whatever goes wrong with it. */
export interface Picture {
  id: number;
  name: string;
  file: Blob;
  /** Shows the file in the page. */
  url: string;
  state: 'waiting' | 'sending' | 'thinking' | 'done' | 'failed';
  /** Share of the upload that is done. */
  sent: number;
  /** What was asked last; absent while nothing was sent. */
  asked?: Question;
  /** The answers, which a later failure leaves in place. */
  replies: Replies;
  /** Drawn by hand, in whole pixels of the picture; they may reach beyond it. Each change makes new objects. */
  boxes: readonly Box[];
  fault?: Fault;
}

export interface State {
  page: Page;
  ask: Ask;
  tab: Tab;
  settings?: Settings;
  models: Model[];
  /** Name of the model that is asked. */
  model: string;
  pictures: Picture[];
  current?: number;
  filter: Filter;
  /** Which views are taken; absent for the model's own choice. */
  views?: ViewChoice;
  /** Whether views are outlined in the picture. */
  outlined: boolean;
  /** Place in the answer of the detection that the pointer or the keyboard is on. */
  pointed?: number;
  /** Place in the answer of the detection whose decision is shown. */
  chosen?: number;
  /** Place of the drawn box whose scores are shown. */
  selected?: number;
  proposals: { count: number; hidden: ReadonlySet<string> };
  /** Numbers of the first stage alone; absent for the model's own. */
  proposalChoice?: ProposalChoice;
  connected: boolean;
  keyWanted: boolean;
  /** Why the page itself could not begin. */
  fault?: Fault;
  /** Said to screen readers. */
  message: string;
}

/** What the state can be without. */
type Dispensable = 'current' | 'views' | 'pointed' | 'chosen' | 'selected' | 'proposalChoice' | 'fault';

export let state: State = {
  page: 'pictures',
  ask: 'detections',
  tab: 'results',
  models: [],
  model: '',
  pictures: [],
  filter: { threshold: 0.5, most: Infinity, hidden: new Set() },
  outlined: true,
  proposals: { count: 50, hidden: new Set() },
  connected: true,
  keyWanted: false,
  message: '',
};

const listeners = new Set<() => void>();

/** Changes the state and shows it. */
export function update(change: Partial<State>, ...without: Dispensable[]): void {
  const next = { ...state };
  without.forEach(name => delete next[name]);
  state = { ...next, ...change };
  listeners.forEach(listener => listener());
}

/** The state, and a new rendering when it changes. */
export function useStore(): State {
  const [seen, see] = useState(state);
  useEffect(() => {
    const listener = () => see(state);
    listeners.add(listener);
    listener();
    return () => void listeners.delete(listener);
  }, []);
  return seen;
}

export const modelOf = (from: State): Model | undefined => from.models.find(({ name }) => name === from.model);

export const currentOf = (from: State): Picture | undefined => from.pictures.find(({ id }) => id === from.current);

/** What the service says of the picture; undefined while it has not answered. */
export function imageOf({ replies: { detections, proposals, regions } }: Picture): Envelope['image'] | undefined {
  return (detections ?? proposals ?? regions)?.answer.image;
}

/** Changes a part of a picture, unless it was removed. */
export function change(id: number, part: Partial<Picture>): void {
  const item = state.pictures.find(other => other.id === id);
  if (item) {
    replace({ ...item, ...part });
  }
}

/** Puts a picture in the place of what it was. */
export function replace(item: Picture): void {
  update({ pictures: state.pictures.map(other => (other.id === item.id ? item : other)) });
}
