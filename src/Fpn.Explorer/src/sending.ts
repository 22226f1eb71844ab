import * as api from './api';
import type { Fault } from './fault';
import { covers, type Question, type Replies } from './question';
import { describeRegion } from './regions';
import { change, currentOf, modelOf, replace, state, update, type Picture } from './state';
import { count } from './text';
import { isMoreThanOne } from './views';

/** Requests at a time: enough for the service to make a batch of them. */
const side = 4;

const running = new Map<number, AbortController>();

/** Gives up a request for a picture, if there is one. */
export function giveUp(id: number): void {
  running.get(id)?.abort();
}

/** Sends the current picture when it has no answer to what would be asked for now. */
export function renew(): void {
  const item = currentOf(state);
  if (item?.asked && item.state !== 'waiting') {
    const wanted = question(item);
    const known = covers(item.replies[wanted.about]?.asked, wanted);
    if (item.state === 'done' ? !known : !covers(item.asked, wanted)) {
      giveUp(item.id);
      const { fault: _, ...kept } = item;
      replace({ ...kept, state: known ? 'done' : 'waiting' });
    }
  }

  work();
}

/** What is asked about a picture now. */
function question({ boxes }: Picture): Question {
  const { ask, model, views, outlined, tab, proposalChoice } = state;
  const hasStages = modelOf(state)?.layout === 'two-stage';
  if (hasStages && ask === 'proposals') {
    return { about: 'proposals', model, ...(proposalChoice ? { choice: proposalChoice } : {}) };
  }

  // Where nothing is drawn yet, the detections at least say how large the picture is.
  if (hasStages && ask === 'regions' && boxes.length > 0) {
    return { about: 'regions', model, boxes };
  }

  const explain = hasStages && (tab === 'decision' || (outlined && views !== undefined && isMoreThanOne(views)));
  return { about: 'detections', model, explain, ...(views ? { views } : {}) };
}

/** Sends what waits. */
export function work(): void {
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
  const asked = question(item);
  change(item.id, { state: 'sending', sent: 0, asked });
  const outcome = await api.ask(item.file, asked, {
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
    const reply = { asked, answer: outcome.value, elapsed: performance.now() - started };
    const replies: Replies = { ...kept.replies, [asked.about]: reply };
    replace({ ...kept, state: 'done', sent: 1, replies });
    update({ connected: true, message: `${item.name}: ${summary(asked.about, replies)}.` });
    if (asked.about === 'detections') {
      measure(started);
    }
  }

  // What is wanted may have changed meanwhile.
  renew();
}

/** An answer in a few words. */
function summary(about: Question['about'], { detections, proposals, regions }: Replies): string {
  if (about === 'proposals' && proposals) {
    return count(proposals.answer.proposals.length, 'proposal');
  }

  if (about === 'regions' && regions) {
    return regions.answer.regions.map((region, at) => `box ${at + 1} ${describeRegion(region)}`).join(', ');
  }

  const views = detections?.answer.views;
  return `${detections?.answer.detections.length} found${views === undefined ? '' : ` in ${count(views, 'view')}`}`;
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

/** Notes when the answer was on the screen: the frame after the one that it was drawn in. */
function measure(start: number): void {
  requestAnimationFrame(() => requestAnimationFrame(() => performance.measure('detections-shown', { start })));
}
