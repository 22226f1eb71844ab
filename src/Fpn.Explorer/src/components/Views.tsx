import { useState } from 'preact/hooks';
import { chooseViews, outline } from '../actions';
import type { Picture, State } from '../state';
import { count, duration } from '../text';
import { describeViews, isMoreThanOne, readScales, readSlice, type Merge, type ViewChoice } from '../views';

/** The fields as they are typed. */
interface Draft {
  sliced: boolean;
  slice: string;
  overlap: number;
  wholeImage: boolean;
  scales: string;
  flip: boolean;
  merge: Merge;
  mergeThreshold: string;
}

const methods: [Merge, string][] = [
  ['nms', 'keep the best (nms)'],
  ['voting', 'average them (voting)'],
  ['ios', 'join them (ios)'],
];

const usual: Record<Merge, string> = { nms: 'the model\'s own', voting: '0.8', ios: '0.5' };

const sliceRule = 'A side such as 640, or height x width such as 480x640, from 32 to 16384 pixels.';
const scalesRule = 'At most 16 whole numbers from 32 to 16384, separated by commas.';

/** Which looks are taken at the pictures, how many there were, and how long they took. */
export function Views({ picture, state }: { picture: Picture | undefined; state: State }) {
  const answer = picture?.replies.detections?.answer;
  const on = state.views !== undefined && isMoreThanOne(state.views);
  const views = answer?.explain?.views;
  return (
    <details class="choice views-choice">
      <summary>
        <span>More than one look</span>{' '}
        <span class="quiet" id="view-count">
          {answer?.views === undefined ? (on ? 'on' : 'off') : `${count(answer.views, 'view')} in ${duration(answer.timings.totalMs)}`}
        </span>
      </summary>
      {views && <p class="quiet">{describeViews(views, answer!.image)}.</p>}
      <Form state={state} />
    </details>
  );
}

function Form({ state }: { state: State }) {
  const [draft, setDraft] = useState(() => draftOf(state.views));
  const set = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    chooseViews(choiceOf(draft));
  };
  return (
    <form onSubmit={submit}>
      <p class="quiet">For small things in large pictures. Every view takes as long as a picture; the service merges what they show.</p>
      <fieldset>
        <legend class="unseen">Slices</legend>
        <label class="check"><input type="checkbox" checked={draft.sliced} onChange={event => set({ sliced: event.currentTarget.checked })} />Cut into slices</label>
        {draft.sliced && (
          <>
            <label>
              <span>Size, in pixels</span>
              <input
                type="text"
                required
                value={draft.slice}
                ref={element => element?.setCustomValidity(readSlice(draft.slice) === undefined ? sliceRule : '')}
                onInput={event => set({ slice: event.currentTarget.value })}
              />
            </label>
            <label>
              <span>Overlap</span>
              <span class="value">{draft.overlap.toFixed(2)}</span>
              <input type="range" min={0} max={0.9} step={0.05} value={draft.overlap} aria-label="Overlap" onInput={event => set({ overlap: event.currentTarget.valueAsNumber })} />
            </label>
            <label class="check"><input type="checkbox" checked={draft.wholeImage} onChange={event => set({ wholeImage: event.currentTarget.checked })} />The whole picture too</label>
          </>
        )}
      </fieldset>
      <label>
        <span>Sizes to look at it in</span>
        <input
          type="text"
          value={draft.scales}
          placeholder="the model's own"
          aria-describedby="scales-hint"
          ref={element => element?.setCustomValidity(readScales(draft.scales) === undefined ? scalesRule : '')}
          onInput={event => set({ scales: event.currentTarget.value })}
        />
        <span class="hint-line quiet small" id="scales-hint">Shorter sides in pixels: 480, 800</span>
      </label>
      <label class="check"><input type="checkbox" checked={draft.flip} onChange={event => set({ flip: event.currentTarget.checked })} />Mirrored too</label>
      <label>
        <span>Boxes of the same thing</span>
        <select value={draft.merge} onChange={event => set({ merge: event.currentTarget.value as Merge })}>
          {methods.map(([method, name]) => <option key={method} value={method}>{name}</option>)}
        </select>
      </label>
      <label>
        <span>The same from an overlap of</span>
        <input type="number" min={0} max={1} step="any" value={draft.mergeThreshold} placeholder={usual[draft.merge]} onInput={event => set({ mergeThreshold: event.currentTarget.value })} />
      </label>
      <label class="check"><input type="checkbox" checked={state.outlined} onChange={event => outline(event.currentTarget.checked)} />Outline the views</label>
      <div class="buttons">
        <button type="submit" class="strong">Look again</button>
        {state.views && (
          <button
            type="button"
            onClick={() => {
              setDraft(draftOf(undefined));
              chooseViews(undefined);
            }}
          >
            Back to the usual
          </button>
        )}
      </div>
    </form>
  );
}

function draftOf(views: ViewChoice | undefined): Draft {
  return {
    sliced: views?.slice !== undefined,
    slice: views?.slice ?? '640',
    overlap: views?.overlap ?? 0.2,
    wholeImage: views?.wholeImage ?? true,
    scales: views?.scales.join(', ') ?? '',
    flip: views?.flip ?? false,
    merge: views?.merge ?? 'nms',
    mergeThreshold: views?.mergeThreshold?.toString() ?? '',
  };
}

function choiceOf({ sliced, slice, scales, mergeThreshold, overlap, wholeImage, flip, merge }: Draft): ViewChoice {
  const size = sliced ? readSlice(slice) : undefined;
  return {
    ...(size === undefined ? {} : { slice: size }),
    overlap,
    wholeImage,
    scales: readScales(scales) ?? [],
    flip,
    merge,
    ...(mergeThreshold === '' ? {} : { mergeThreshold: Number(mergeThreshold) }),
  };
}
