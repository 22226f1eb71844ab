import { labelColor } from '../colors';
import { draw, erase, eraseAll, selectBox } from '../drawing';
import { between } from '../frame/geometry';
import { describeRegion, regionOf } from '../regions';
import type { Picture, State } from '../state';
import { percent, place } from '../text';
import type { Box, Envelope, Model, RegionResult } from '../types';
import { Icon } from './graphics/Icon';
import { Line } from './graphics/Line';
import { Swatch } from './graphics/Swatch';

/** The second stage alone: what it sees in the boxes that are drawn. */
export function Regions({ picture, image, model, state }: { picture: Picture; image: Envelope['image']; model: Model; state: State }) {
  const { boxes, replies } = picture;

  // In the middle: the arrow keys take it from there.
  const add = () => draw(between(
    { x: image.width / 4, y: image.height / 4 }, { x: (image.width * 3) / 4, y: (image.height * 3) / 4 }));
  return (
    <>
      <p class="quiet">Drag on the picture to draw a box: the second stage alone says what is in it. An edge moves the box, a corner changes its size; so do the arrow keys, alone and with Shift. Delete removes it.</p>
      <div class="buttons">
        <button type="button" onClick={add}><Icon name="plus" />Add a box</button>
        {boxes.length > 1 && <button type="button" onClick={eraseAll}>Remove all</button>}
      </div>
      <ol class="drawn-list" aria-label="Boxes">
        {boxes.map((box, index) => (
          <Item
            key={index}
            box={box}
            index={index}
            region={regionOf(replies.regions, box)}
            failed={picture.state === 'failed'}
            model={model}
            open={state.selected === index}
          />
        ))}
      </ol>
    </>
  );
}

interface ItemProps {
  box: Box;
  index: number;
  region: RegionResult | undefined;
  failed: boolean;
  model: Model;
  open: boolean;
}

function Item({ box, index, region, failed, model, open }: ItemProps) {
  const name = `Box ${index + 1}`;
  const result = region ? describeRegion(region, 2) : failed ? 'no answer' : '…';
  return (
    <li class={open ? 'open' : ''} data-box={index}>
      <div class="head">
        <button type="button" class="plain" aria-expanded={open} onClick={() => selectBox(open ? undefined : index)}>
          {name} <b>{result}</b>
        </button>
        <button type="button" class="icon plain" aria-label={`Remove box ${index + 1}`} onClick={() => erase(index)}><Icon name="close" /></button>
      </div>
      {open && region && ('error' in region ? (
        <p>{region.error}</p>
      ) : (
        <>
          <table>
            <caption class="unseen">What is in box {index + 1}</caption>
            <thead class="unseen"><tr><th scope="col">Class</th><th scope="col"><span class="unseen">Bar</span></th><th scope="col">Score</th></tr></thead>
            <tbody>
              {region.scores.map(({ label, score }) => (
                <Score key={label} label={label} score={score} color={labelColor(label, model)} />
              ))}
              <Score label="background" score={region.background} color="currentColor" quiet />
            </tbody>
          </table>
          <ol class="chain">
            <li>
              <Line kind="drawn-line" color="currentColor" />
              <h3>{name}, pooled from {region.level}</h3>
              <p class="quiet">{place(box)}</p>
            </li>
            <li>
              <Line kind="refined" color={labelColor(region.scores[0]!.label, model)} />
              <h3>Refined for {region.scores[0]!.label}</h3>
              <p class="quiet">{place(region.box)}</p>
            </li>
          </ol>
        </>
      ))}
    </li>
  );
}

function Score({ label, score, color, quiet = false }: { label: string; score: number; color: string; quiet?: boolean }) {
  return (
    <tr class={quiet ? 'quiet' : ''}>
      <th scope="row"><Swatch color={color} /> {label}</th>
      <td class="bar" aria-hidden="true">
        <svg viewBox="0 0 100 8" preserveAspectRatio="none"><rect width={100 * score} height="8" fill={color} /></svg>
      </td>
      <td class="number">{percent(score, 2)}</td>
    </tr>
  );
}
