import { useEffect, useState } from 'preact/hooks';
import * as api from './api';
import { tooLarge, type Fault } from './fault';
import type { Filter } from './filter';
import { count } from './text';
import type { Answer, Model, Sample, Settings } from './types';
import { isMoreThanOne, type ViewChoice } from './views';

export type Page = 'pictures' | 'server';
export type Tab = 'detections' | 'decision' | 'request';

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
  /** The last answer, which a later failure leaves in place. */
  answer?: Answer;
  /** What that answer was asked for. */
  asked?: Asked;
  /** From sending to showing, in milliseconds; the service's own share is in the answer. */
  elapsed?: number;
  fault?: Fault;
}

/** What a request asks for. */
export interface Asked {
  model: string;
  explain: boolean;
  /** Absent where the model takes the views that it always takes: one, unless its package says otherwise. */
  views?: ViewChoice;
}

export interface State {
  page: Page;
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
  proposals: { count: number; hidden: ReadonlySet<string> };
  connected: boolean;
  keyWanted: boolean;
  /** Why the page itself could not begin. */
  fault?: Fault;
  /** Said to screen readers. */
  message: string;
}

/** Requests at a time: enough for the service to make a batch of them. */
const side = 4;

let state: State = {
  page: 'pictures',
  tab: 'detections',
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
const running = new Map<number, AbortController>();
let nextId = 1;

export function update(change: Partial<State>): void {
  state = { ...state, ...change };
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

/** Loads what the page has to know; called again after the service was away. */
export async function begin(): Promise<void> {
  const [models, settings] = await Promise.all([api.models(), api.settings()]);
  if ('value' in settings) {
    update({ settings: settings.value });
  }

  if ('fault' in models || 'fault' in settings) {
    return fail('fault' in models ? models.fault : (settings as { fault: Fault }).fault);
  }

  const list = models.value.models;
  const model = list.find(({ name }) => name === state.model) ?? list[0];
  const { fault: _, ...rest } = state;
  state = { ...rest, models: list, connected: true };
  if (model && model.name !== state.model) {
    state = { ...state, model: model.name, filter: startingFilter(model) };
  }

  update({});
  work();
}

/** Adds files to the gallery and sends them. */
export function add(files: Iterable<File>): void {
  const added = [...files].map(file => picture(file.name || 'pasted picture', file));
  if (added.length === 0) {
    return;
  }

  const { pointed: _, chosen: __, fault: ___, ...rest } = state;
  state = { ...rest, page: 'pictures', pictures: [...state.pictures, ...added], current: added[0]!.id };
  update({});
  work();
}

/** The samples of the models that are served, the default model's first; all of them while that is not known. */
export function samplesOf({ settings, models }: State): Sample[] {
  const place = ({ model }: Sample) => models.findIndex(({ name }) => name === model);
  return (settings?.samples ?? [])
    .filter(sample => models.length === 0 || place(sample) >= 0)
    .sort((one, other) => place(one) - place(other));
}

/** Adds a sample, and asks the model that knows what is in it. */
export async function addSample(wanted: Sample): Promise<void> {
  const outcome = await api.sample(wanted);
  if ('fault' in outcome) {
    return fail(outcome.fault);
  }

  askFromNowOn(wanted.model);
  add([new File([outcome.value], wanted.name, { type: outcome.value.type })]);
}

export function select(id: number): void {
  const { pointed: _, chosen: __, ...rest } = state;
  state = { ...rest, current: id };
  update({});
  renew();
}

export function remove(id: number): void {
  running.get(id)?.abort();
  const at = state.pictures.findIndex(item => item.id === id);
  const gone = state.pictures[at];
  if (!gone) {
    return;
  }

  URL.revokeObjectURL(gone.url);
  const pictures = state.pictures.filter(item => item.id !== id);
  const { current, pointed: _, chosen: __, ...rest } = state;
  const next = current === id ? pictures[Math.min(at, pictures.length - 1)]?.id : current;
  state = { ...rest, pictures, ...(next === undefined ? {} : { current: next }) };
  update({ message: `${gone.name} was removed.` });
}

/** Sends a picture once more. */
export function retry(id: number): void {
  change(id, { state: 'waiting' });
  work();
}

export function retryAll(): void {
  state.pictures.filter(item => item.fault?.retry).forEach(item => change(item.id, { state: 'waiting' }));
  work();
}

/** Changes the model: the current picture is sent at once, the others when they are shown. */
export function chooseModel(name: string): void {
  askFromNowOn(name);
  update({});
  renew();
}

/** Changes which views are taken: the current picture is sent at once, the others when they are shown. */
export function chooseViews(views: ViewChoice | undefined): void {
  const { views: _, pointed: __, chosen: ___, ...rest } = state;
  state = views ? { ...rest, views } : rest;
  const item = currentOf(state);
  if (item) {
    running.get(item.id)?.abort();
    change(item.id, { state: 'waiting' });
  }

  update({});
  work();
}

/** Says whether views are outlined, which takes an explanation to know them. */
export function outline(outlined: boolean): void {
  update({ outlined });
  renew();
}

/** Sets the model that is asked, if it is another one and is served. */
function askFromNowOn(name: string): void {
  const model = state.models.find(item => item.name === name);
  if (model && name !== state.model) {
    const { pointed: _, chosen: __, ...rest } = state;
    state = { ...rest, model: name, filter: startingFilter(model) };
  }
}

export function filterBy(filter: Partial<Filter>): void {
  update({ filter: { ...state.filter, ...filter } });
}

export function point(index: number | undefined): void {
  if (state.pointed !== index) {
    const { pointed: _, ...rest } = state;
    state = index === undefined ? rest : { ...rest, pointed: index };
    update({});
  }
}

/** Shows how a detection was decided; undefined shows the proposals alone. */
export function choose(index: number | undefined): void {
  const { chosen: _, ...rest } = state;
  state = { ...rest, tab: 'decision', ...(index === undefined ? {} : { chosen: index }) };
  update({});
  renew();
}

export function openTab(tab: Tab): void {
  update({ tab });
  renew();
}

export function enterKey(value: string): void {
  api.key.set(value);
  update({ keyWanted: false });
  if (state.models.length === 0) {
    void begin();
  } else {
    retryAll();
  }
}

/** Checks whether the service is back, while it is away. */
export async function watch(): Promise<void> {
  if (!state.connected && (await api.isReady())) {
    update({ connected: true, message: 'The service is back.' });
    if (state.models.length === 0) {
      await begin();
    }
  }
}

function startingFilter(model: Model): Filter {
  return { threshold: Math.max(0.5, model.scoreThreshold), most: Infinity, hidden: new Set() };
}

function picture(name: string, file: Blob): Picture {
  const item: Picture = { id: nextId++, name, file, url: URL.createObjectURL(file), state: 'waiting', sent: 0 };
  const limit = state.settings?.maxImageBytes;
  return limit !== undefined && file.size > limit
    ? { ...item, state: 'failed', fault: tooLarge(file.size, limit) }
    : item;
}

/** Sends the current picture again when its answer is not what would be asked for now. */
function renew(): void {
  const item = currentOf(state);
  const asked = item?.state === 'done' ? item.asked : undefined;
  const wanted = question();
  if (item && asked
    && (asked.model !== wanted.model || asked.views !== wanted.views || (wanted.explain && !asked.explain))) {
    change(item.id, { state: 'waiting' });
  }

  work();
}

/** What is asked about a picture now. */
function question(): Asked {
  const { model, views, outlined, tab } = state;
  const explain = modelOf(state)?.layout === 'two-stage'
    && (tab === 'decision' || (outlined && views !== undefined && isMoreThanOne(views)));
  return { model, explain, ...(views ? { views } : {}) };
}

function work(): void {
  for (const item of state.pictures) {
    if (running.size >= side || !state.model) {
      return;
    }

    if (item.state === 'waiting' && !running.has(item.id)) {
      void send(item);
    }
  }
}

async function send(item: Picture): Promise<void> {
  const controller = new AbortController();
  running.set(item.id, controller);
  const started = performance.now();
  change(item.id, { state: 'sending', sent: 0 });
  const asked = question();
  const outcome = await api.detect(item.file, {
    model: asked.model,
    explain: asked.explain,
    views: asked.views,
    formats: state.settings?.formats,
    signal: controller.signal,
    onProgress: sent => change(item.id, { sent, state: sent < 1 ? 'sending' : 'thinking' }),
  });
  running.delete(item.id);
  if (controller.signal.aborted) {
    return work();
  }

  if ('fault' in outcome) {
    fail(outcome.fault, item.id);
  } else {
    const { fault: _, ...kept } = state.pictures.find(({ id }) => id === item.id) ?? item;
    const answer = outcome.value;
    replace({ ...kept, state: 'done', sent: 1, answer, asked, elapsed: performance.now() - started });
    const views = answer.views === undefined ? '' : ` in ${count(answer.views, 'view')}`;
    update({ connected: true, message: `${item.name}: ${answer.detections.length} found${views}.` });
    measure(started);
  }

  // What is wanted may have changed meanwhile.
  renew();
}

/** Says what went wrong: with a picture, or with the page. */
export function fail(fault: Fault, id?: number): void {
  if (id !== undefined) {
    change(id, { state: 'failed', fault });
  }

  update({
    ...(id === undefined ? { fault } : {}),
    connected: state.connected && fault.kind !== 'offline',
    keyWanted: state.keyWanted || fault.kind === 'key-needed',
    message: `${fault.title}. ${fault.advice}`,
  });
}

function change(id: number, part: Partial<Picture>): void {
  const item = state.pictures.find(other => other.id === id);
  if (item) {
    replace({ ...item, ...part });
  }
}

function replace(item: Picture): void {
  update({ pictures: state.pictures.map(other => (other.id === item.id ? item : other)) });
}

/** Notes when the answer was on the screen: the frame after the one that it was drawn in. */
function measure(start: number): void {
  requestAnimationFrame(() => requestAnimationFrame(() => performance.measure('detections-shown', { start })));
}
