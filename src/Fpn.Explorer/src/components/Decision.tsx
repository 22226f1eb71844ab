import { labelColor, levelColor } from '../colors';
import type { Shown } from '../filter';
import { choose } from '../actions';
import type { Picture, State } from '../state';
import { count, percent, place } from '../text';
import type { Answer, Box, Explanation, Model, Origin } from '../types';
import { bestFirst, describeView, rankInView } from '../views';
import { Place } from './Detections';
import { Histogram } from './graphics/Histogram';
import { Icon } from './graphics/Icon';
import { Line } from './graphics/Line';
import { ProposalFilter } from './Proposals';

interface Props {
  answer: Answer;
  items: Shown[];
  model: Model;
  picture: Picture;
  state: State;
}

/** How the model came to its detections. */
export function Decision({ answer, items, model, picture, state }: Props) {
  if (model.layout !== 'two-stage') {
    return <p class="empty">The model {model.name} is one graph with everything inside: it does not show how it decides.</p>;
  }

  const explain = answer.explain;
  if (!explain) {
    return <p class="quiet">{picture.state === 'failed' ? 'The service did not answer how it decided.' : 'Asking how it decided …'}</p>;
  }

  const origin = state.chosen === undefined ? undefined : explain.detections[state.chosen];
  return (
    <>
      <Picker items={items} state={state} />
      {origin && state.chosen !== undefined ? (
        <Chain origin={origin} answer={answer} index={state.chosen} model={model} explain={explain} />
      ) : (
        <ProposalFilter proposals={bestFirst(explain)} state={state}>
          <p class="quiet">{explain.candidates} boxes passed the score; {explain.detections.length} are left after those that show the same thing were removed. Choose one to see why.</p>
        </ProposalFilter>
      )}
      <Histogram title="Detections by size" entries={items.map(({ index, detection }) => ({ box: detection.box, level: explain.detections[index]!.level }))} />
      <Histogram title="Proposals by size" entries={explain.proposals} />
    </>
  );
}

function Picker({ items, state }: { items: Shown[]; state: State }) {
  return (
    <label class="picker">
      <span>Explain</span>
      <select
        value={state.chosen ?? ''}
        onChange={event => choose(event.currentTarget.value === '' ? undefined : Number(event.currentTarget.value))}
      >
        <option value="">all proposals</option>
        {items.map(({ index, detection }) => (
          <option key={index} value={index}>{`${index + 1}. ${detection.label} ${percent(detection.score, 1)}`}</option>
        ))}
      </select>
    </label>
  );
}

/** From the anchor to the detection, and what lost against it. */
function Chain({ origin, answer, index, model, explain }: { origin: Origin; answer: Answer; index: number; model: Model; explain: Explanation }) {
  const detection = answer.detections[index]!;
  const { anchor, proposal, suppressed, merged, view } = origin;
  const [rank, proposed] = rankInView(explain, origin.proposalIndex);
  return (
    <section aria-label={`How ${detection.label} was decided`}>
      <button type="button" class="plain back" onClick={() => choose(undefined)}><Icon name="back" />All proposals</button>
      <ol class="chain">
        {explain.views && view !== undefined && (
          <li>
            <Line kind="look" color="currentColor" />
            <h3>View {describeView(view, explain.views, answer.image)}</h3>
            <p>This look at the picture found it.</p>
          </li>
        )}
        <li>
          <Line kind="anchor" color={levelColor(anchor.level)} />
          <h3>Anchor on {anchor.level}</h3>
          <p>Size {anchor.size}, height to width {ratio(anchor.aspectRatio)}: one of the boxes that stand on every cell of the map {anchor.level}.</p>
          <p class="quiet">{place(anchor.box)}</p>
        </li>
        <li>
          <Line kind="proposal" color={levelColor(proposal.level)} />
          <h3>Proposal, objectness {percent(proposal.objectness, 1)}</h3>
          <p>The first stage moved and stretched the anchor: number {rank} of {proposed} regions worth a look.</p>
          <p class="quiet">{place(proposal.box)}</p>
        </li>
        <li>
          <Line kind="line" color={labelColor(detection.label, model)} />
          <h3>{detection.label}, {percent(detection.score, 2)}</h3>
          <p>The second stage looked at the region on {origin.level}, which suits its size, named it and drew the box closer.</p>
          <p class="quiet">{place(detection.box)}</p>
        </li>
        <li>
          <Line kind="removed" color="currentColor" />
          <h3>{suppressed.length === 0 ? 'Nothing removed for it' : `${count(suppressed.length, 'box', 'boxes')} removed for it`}</h3>
          {suppressed.length === 0 ? (
            <p>No other {detection.label} overlapped it too much.</p>
          ) : (
            <>
              <p>They are {detection.label} too, overlap it too much and score less.</p>
              <Removed
                caption="Removed boxes, best first"
                column="Overlap"
                rows={suppressed.map(removed => ({ ...removed, value: percent(removed.iou, 0) }))}
              />
            </>
          )}
        </li>
        {merged && (
          <li>
            <Line kind="removed" color="currentColor" />
            <h3>{merged.length === 0 ? 'Nothing merged into it' : `${count(merged.length, 'detection')} merged into it`}</h3>
            {merged.length === 0 ? (
              <p>No other view found a {detection.label} here that scores less.</p>
            ) : (
              <>
                <p>They are {detection.label} too, show the same thing and score less.</p>
                <Removed
                  caption="Merged detections, best first"
                  column="View"
                  rows={merged.map(removed => ({ ...removed, value: String(removed.view + 1) }))}
                />
              </>
            )}
          </li>
        )}
      </ol>
    </section>
  );
}

/** Boxes that lost, with what is to say about each. */
function Removed({ caption, column, rows }: { caption: string; column: string; rows: { box: Box; score: number; value: string }[] }) {
  return (
    <table>
      <caption class="unseen">{caption}</caption>
      <thead><tr><th scope="col" class="number">Score</th><th scope="col" class="number">{column}</th><th scope="col">Box</th></tr></thead>
      <tbody>
        {rows.map(({ box, score, value }, at) => (
          <tr key={at}>
            <td class="number">{percent(score, 2)}</td>
            <td class="number">{value}</td>
            <td class="quiet"><Place box={box} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function ratio(heightToWidth: number): string {
  return heightToWidth >= 1 ? `${+heightToWidth.toFixed(2)} : 1` : `1 : ${+(1 / heightToWidth).toFixed(2)}`;
}
