import * as api from './api';
import { tooLarge, type Fault } from './fault';
import type { Filter } from './filter';
import { fail, giveUp, renew, work } from './sending';
import type { Ask, ProposalChoice } from './question';
import { change, state, update, type Picture, type State, type Tab } from './state';
import type { Model, Sample } from './types';
import type { ViewChoice } from './views';

let nextId = 1;

/** What is looked at in one answer about one picture. */
const fresh = ['pointed', 'chosen', 'selected'] as const;

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
  update({ models: list, connected: true }, 'fault');
  if (model) {
    askFromNowOn(model.name);
  }

  work();
}

/** Adds files to the gallery and sends them. */
export function add(files: Iterable<File>): void {
  const added = [...files].map(file => picture(file.name || 'pasted picture', file));
  if (added.length === 0) {
    return;
  }

  const pictures = [...state.pictures, ...added];
  update({ page: 'pictures', pictures, current: added[0]!.id }, ...fresh, 'fault');
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
  update({ current: id }, ...fresh);
  renew();
}

export function remove(id: number): void {
  giveUp(id);
  const at = state.pictures.findIndex(item => item.id === id);
  const gone = state.pictures[at];
  if (!gone) {
    return;
  }

  URL.revokeObjectURL(gone.url);
  const pictures = state.pictures.filter(item => item.id !== id);
  const next = state.current === id ? pictures[Math.min(at, pictures.length - 1)]?.id : state.current;
  const message = `${gone.name} was removed.`;
  update(
    { pictures, message, ...(next === undefined ? {} : { current: next }) }, 'current', ...fresh);
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
  renew();
}

/** Changes which views are taken: the current picture is sent at once, the others when they are shown. */
export function chooseViews(views: ViewChoice | undefined): void {
  update(views ? { views } : {}, 'views', 'pointed', 'chosen');
  renew();
}

/** Changes the numbers of the first stage alone. */
export function chooseProposals(proposalChoice: ProposalChoice | undefined): void {
  update(proposalChoice ? { proposalChoice } : {}, 'proposalChoice');
  renew();
}

/** Asks the whole model, or one of its stages alone: the current picture at once, the others when they are shown. */
export function ask(about: Ask): void {
  update({ ask: about, tab: state.tab === 'decision' ? 'results' : state.tab }, ...fresh);
  renew();
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
    update({ model: name, filter: startingFilter(model) }, 'pointed', 'chosen');
  }
}

export function filterBy(filter: Partial<Filter>): void {
  update({ filter: { ...state.filter, ...filter } });
}

export function point(index: number | undefined): void {
  if (state.pointed !== index) {
    update(index === undefined ? {} : { pointed: index }, 'pointed');
  }
}

/** Shows how a detection was decided; undefined shows the proposals alone. */
export function choose(index: number | undefined): void {
  update({ tab: 'decision', ...(index === undefined ? {} : { chosen: index }) }, 'chosen');
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
  const url = URL.createObjectURL(file);
  const item: Picture = { id: nextId++, name, file, url, state: 'waiting', sent: 0, replies: {}, boxes: [] };
  const limit = state.settings?.maxImageBytes;
  return limit !== undefined && file.size > limit
    ? { ...item, state: 'failed', fault: tooLarge(file.size, limit) }
    : item;
}
