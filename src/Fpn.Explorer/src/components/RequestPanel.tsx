import { useState } from 'preact/hooks';
import { askAs, type Outcome } from '../api';
import { curl, curlOf } from '../curl';
import { json, jsonOf, png, save } from '../download';
import type { Fault } from '../fault';
import { hasClasses, parameters, type Shown } from '../filter';
import { queryOf, type Question, type Replies, type Reply } from '../question';
import type { Picture, State } from '../state';
import { count, duration, fileSize, stem } from '../text';
import type { Answer, Envelope, Model } from '../types';
import { Icon } from './graphics/Icon';
import { FaultNotice } from './Notices';
import { StageBar } from './graphics/StageBar';

/** A file that can be taken along. */
interface Download {
  name: string;
  /** Of the file's name, after the picture's. */
  ending: string;
  make: () => Outcome<Blob> | Promise<Outcome<Blob>>;
}

interface Props<About extends keyof Replies> {
  reply: NonNullable<Replies[About]>;
  model: Model;
  picture: Picture;
}

/** The request for detections: files and command are of what is shown. */
export function DetectionRequest({ reply, items, model, picture, state }: Props<'detections'> & { items: Shown[]; state: State }) {
  const { answer, asked: { views } } = reply;

  // The service writes these formats: asked with the same parameters it gives what is shown.
  const written = (name: string, format: string, ending: string): Download => ({
    name,
    ending,
    make: () => {
      const query = parameters(state.filter, model, views);
      query.set('format', format);
      return askAs('detections', picture.file, query);
    },
  });
  return (
    <RequestPanel
      reply={reply}
      picture={picture}
      title="Download what is shown"
      disabled={!hasClasses(state.filter, model)}
      downloads={[
        { name: 'JSON', ending: 'json', make: () => ({ value: json(answer, items) }) },
        written('COCO', 'coco', 'coco.json'),
        written('VOC', 'voc', 'xml'),
        written('YOLO', 'yolo', 'txt'),
        { name: 'PNG', ending: 'boxes.png', make: async () => ({ value: await png(picture.url, answer, items, model) }) },
      ]}
      command={curl(picture.name, state.filter, model, views)}
    />
  );
}

/** The request for proposals. */
export function ProposalRequest({ reply, model, picture }: Props<'proposals'>) {
  const coco = () => {
    const query = queryOf(reply.asked);
    query.set('format', 'coco');
    return askAs('proposals', picture.file, query);
  };
  return (
    <RequestPanel
      reply={reply}
      picture={picture}
      title="Download all proposals"
      downloads={[
        { name: 'JSON', ending: 'proposals.json', make: () => ({ value: jsonOf(reply.answer) }) },
        { name: 'COCO', ending: 'proposals.coco.json', make: coco },
      ]}
      command={curlOf(picture.name, reply.asked, model)}
    />
  );
}

/** The request for boxes that were drawn. */
export function RegionRequest({ reply, model, picture }: Props<'regions'>) {
  return (
    <RequestPanel
      reply={reply}
      picture={picture}
      title="Download all boxes"
      downloads={[{ name: 'JSON', ending: 'regions.json', make: () => ({ value: jsonOf(reply.answer) }) }]}
      command={curlOf(picture.name, reply.asked, model)}
    />
  );
}

interface PanelProps {
  reply: Reply<Question, Envelope>;
  picture: Picture;
  title: string;
  downloads: Download[];
  command: string;
  /** Whether there is nothing to download. */
  disabled?: boolean;
}

/** Where the time went, and ways to take the result along or to ask again. */
function RequestPanel({ reply: { answer, elapsed }, picture, title, downloads, command, disabled = false }: PanelProps) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault>();
  const download = async ({ ending, make }: Download) => {
    setBusy(true);
    setFault(undefined);
    const outcome = await make();
    if ('fault' in outcome) {
      setFault(outcome.fault);
    } else {
      save(outcome.value, `${stem(picture.name)}.${ending}`);
    }

    setBusy(false);
  };

  return (
    <>
      <section aria-labelledby="times-title">
        <h3 id="times-title">Where the time went</h3>
        <StageBar timings={answer.timings} elapsed={elapsed} />
        <p class="quiet">
          {answer.image.width} × {answer.image.height} {answer.image.format.toUpperCase()}, {fileSize(picture.file.size)}; answered by {answer.model} {answer.modelVersion} in{' '}
          {duration(answer.timings.totalMs)}, {company(answer)}.
        </p>
      </section>
      <section aria-labelledby="download-title">
        <h3 id="download-title">{title}</h3>
        <div class="buttons">
          {downloads.map(item => (
            <button type="button" key={item.name} disabled={busy || disabled} onClick={() => void download(item)}>
              <Icon name="download" />{item.name}
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
function company({ batchSize, views }: Envelope & Pick<Answer, 'views'>): string {
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
