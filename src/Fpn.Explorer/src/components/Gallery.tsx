import { shown } from '../filter';
import { remove, select } from '../actions';
import type { Picture, State } from '../state';
import { Icon } from './graphics/Icon';
import { Sources } from './Intake';

/** All pictures of the visit. */
export function Gallery({ state }: { state: State }) {
  return (
    <section class="gallery" aria-label="Gallery">
      <ul>
        {state.pictures.map(picture => (
          <li key={picture.id} class={picture.state}>
            <button
              type="button"
              class="thumb"
              aria-current={picture.id === state.current ? 'true' : undefined}
              aria-label={`${picture.name}, ${describe(picture, state)}`}
              title={picture.name}
              onClick={() => select(picture.id)}
            >
              <img src={picture.url} alt="" onError={event => (event.currentTarget.hidden = true)} />
              <span class="badge">{badge(picture, state)}</span>
            </button>
            <button type="button" class="icon remove" aria-label={`Remove ${picture.name}`} onClick={() => remove(picture.id)}><Icon name="close" /></button>
          </li>
        ))}
      </ul>
      <Sources formats={state.settings?.formats} compact />
    </section>
  );
}

function badge(picture: Picture, state: State): string {
  return picture.state === 'failed' ? '!' : String(shownOf(picture, state) ?? '…');
}

/** How many boxes are shown; undefined while the answer is not there. */
function shownOf({ replies, boxes }: Picture, { ask, filter, proposals }: State): number | undefined {
  return ask === 'regions'
    ? boxes.length
    : ask === 'proposals'
      ? replies.proposals && Math.min(proposals.count, replies.proposals.answer.proposals.length)
      : replies.detections && shown(replies.detections.answer, filter).length;
}

function describe(picture: Picture, state: State): string {
  return picture.state === 'failed'
    ? (picture.fault?.title ?? 'failed')
    : shownOf(picture, state) === undefined ? 'waiting for the answer' : `${shownOf(picture, state)} shown`;
}
