import { useRef, useState } from 'preact/hooks';
import { sampleUrl } from '../api';
import { add, addSample, samplesOf } from '../actions';
import { fail } from '../sending';
import type { State } from '../state';
import { fileSize, list, stem } from '../text';
import { CameraDialog } from './CameraDialog';
import { Icon } from './graphics/Icon';

/** File name endings that some systems do not count among pictures, so that they are listed beside the type. */
const endings: Record<string, string> = { TIFF: ',.tif,.tiff', AVIF: ',.avif' };

/** Where pictures come in: dropped, pasted, chosen, taken, or a sample. */
export function Intake({ state }: { state: State }) {
  const settings = state.settings;
  return (
    <section class="intake" aria-labelledby="intake-title">
      <div class="dropzone">
        <h2 id="intake-title">See what the pyramid sees</h2>
        <p class="quiet">Drop pictures here, paste them, or</p>
        <Sources formats={settings?.formats} />
        <p class="quiet small">
          {settings && `${list(settings.formats, 'or')}, up to ${fileSize(settings.maxImageBytes)} each. `}
          They go to this service only.
        </p>
      </div>
      <Samples state={state} />
    </section>
  );
}

/** The buttons alone, for the gallery too. */
export function Sources({ formats, compact = false }: { formats: string[] | undefined; compact?: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  const [camera, setCamera] = useState(false);
  return (
    <div class="buttons">
      <button type="button" class={compact ? '' : 'strong'} onClick={() => input.current!.click()}>
        <Icon name="image" />{compact ? 'Add' : 'Choose pictures'}
      </button>
      <input
        ref={input}
        type="file"
        multiple
        accept={formats?.map(name => `image/${name.toLowerCase()}${endings[name] ?? ''}`).join() ?? 'image/*'}
        class="unseen"
        tabIndex={-1}
        aria-label="Choose pictures"
        onChange={event => {
          add(event.currentTarget.files ?? []);
          event.currentTarget.value = '';
        }}
      />
      <button type="button" onClick={() => setCamera(true)}><Icon name="camera" />Camera</button>
      {'read' in (navigator.clipboard ?? {}) && <button type="button" onClick={() => void paste()}><Icon name="paste" />Paste</button>}
      <CameraDialog open={camera} onClose={() => setCamera(false)} />
    </div>
  );
}

function Samples({ state }: { state: State }) {
  const samples = samplesOf(state);
  return samples.length === 0 ? null : (
    <div class="samples">
      <h2 class="small">Or try a sample</h2>
      <ul>
        {samples.map(sample => (
          <li key={sampleUrl(sample)}>
            <button type="button" class="sample" onClick={() => void addSample(sample)}>
              <img src={sampleUrl(sample)} alt="" />
              <span>{stem(sample.name)}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Takes the pictures off the clipboard, if the browser allows it. */
async function paste(): Promise<void> {
  try {
    const files: File[] = [];
    for (const item of await navigator.clipboard.read()) {
      const type = item.types.find(name => name.startsWith('image/'));
      if (type) {
        files.push(new File([await item.getType(type)], `pasted.${type.slice(6)}`, { type }));
      }
    }

    add(files);
  } catch {
    fail({
      kind: 'clipboard',
      title: 'The browser does not hand out the clipboard',
      advice: 'Press Ctrl+V (⌘V on a Mac) instead, or allow it in the address bar.',
      retry: false,
    });
  }
}
