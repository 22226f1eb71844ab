import * as api from './api';
import type { Fault } from './fault';
import { change, currentOf, modelOf, replace, state, update, type Asked, type Picture } from './state';
import { count } from './text';
import { isMoreThanOne } from './views';

/** Requests at a time: enough for the service to make a batch of them. */
const side = 4;

const running = new Map<number, AbortController>();

/** Gives up a request for a picture, if there is one. */
export function giveUp(id: number): void {
  running.get(id)?.abort();
}

/** Sends the current picture again when its answer is not what would be asked for now. */
export function renew(): void {
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

/** Notes when the answer was on the screen: the frame after the one that it was drawn in. */
function measure(start: number): void {
  requestAnimationFrame(() => requestAnimationFrame(() => performance.measure('detections-shown', { start })));
}
