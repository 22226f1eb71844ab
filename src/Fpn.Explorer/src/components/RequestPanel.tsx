import { useState } from 'preact/hooks';
import { detectAs } from '../api';
import { curl } from '../curl';
import { json, png, save } from '../download';
import type { Fault } from '../fault';
import { hasClasses, parameters, type Shown } from '../filter';
import type { Picture, State } from '../state';
import { count, duration, fileSize, stem } from '../text';
import type { Answer, Model } from '../types';
import { Icon } from './Icon';
import { FaultNotice } from './Notices';
import { StageBar } from './StageBar';

interface Props {
  answer: Answer;
  items: Shown[];
  model: Model;
  picture: Picture;
  state: State;
}

type Format = 'json' | 'png' | 'coco' | 'voc' | 'yolo';

const formats: [Format, string, string][] = [
  ['json', 'JSON', 'json'],
  ['coco', 'COCO', 'coco.json'],
  ['voc', 'VOC', 'xml'],
  ['yolo', 'YOLO', 'txt'],
  ['png', 'PNG', 'png'],
];

/** Where the time went, and ways to take the result along or to ask again. */
export function RequestPanel({ answer, items, model, picture, state }: Props) {
  const [busy, setBusy] = useState<Format>();
  const [fault, setFault] = useState<Fault>();
  const views = picture.asked?.views;
  const command = curl(picture.name, state.filter, model, views);

  const download = async (format: Format, ending: string) => {
    setBusy(format);
    setFault(undefined);
    const name = `${stem(picture.name)}.${ending}`;
    if (format === 'json') {
      save(json(answer, items), name);
    } else if (format === 'png') {
      save(await png(picture.url, answer, items, model), `${stem(picture.name)}.boxes.png`);
    } else {
      // The service writes these formats: asked with the same parameters it gives what is shown.
      const query = parameters(state.filter, model, views);
      query.set('format', format);
      const outcome = await detectAs(picture.file, query);
      if ('fault' in outcome) {
        setFault(outcome.fault);
      } else {
        save(outcome.value, name);
      }
    }

    setBusy(undefined);
  };

  return (
    <>
      <section aria-labelledby="times-title">
        <h3 id="times-title">Where the time went</h3>
        <StageBar timings={answer.timings} elapsed={picture.elapsed} />
        <p class="quiet">
          {answer.image.width} × {answer.image.height} {answer.image.format.toUpperCase()}, {fileSize(picture.file.size)}; answered by {answer.model} {answer.modelVersion} in{' '}
          {duration(answer.timings.totalMs)}, {company(answer)}.
        </p>
      </section>
      <section aria-labelledby="download-title">
        <h3 id="download-title">Download what is shown</h3>
        <div class="buttons">
          {formats.map(([format, name, ending]) => (
            <button
              type="button"
              key={format}
              disabled={busy !== undefined || !hasClasses(state.filter, model)}
              onClick={() => void download(format, ending)}
            >
              <Icon name="download" />{name}
            </button>
          ))}
        </div>
        {fault && <FaultNotice fault={fault} />}
      </section>
      <section aria-labelledby="curl-title">
        <h3 id="curl-title">The same from a shell</h3>
        <pre class="code" tabIndex={0} aria-label="Command">{command}</pre>
        <Copy text={command} />
      </section>
    </>
  );
}

/** With what the picture shared the device. */
function company({ batchSize, views }: Answer): string {
  return views !== undefined
    ? `looked at in ${count(views, 'view')}, at most ${batchSize} at a time`
    : batchSize === 1 ? 'alone' : `together with ${count(batchSize - 1, 'other picture')}`;
}

function Copy({ text }: { text: string }) {
  const [copied, setCopied] = useState('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied('Copied');
    } catch {
      setCopied('The browser does not allow it: select the text and copy it');
    }
  };
  return <button type="button" onClick={() => void copy()}><Icon name="copy" />{copied || 'Copy'}</button>;
}
