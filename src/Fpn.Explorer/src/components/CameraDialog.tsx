import { useEffect, useRef, useState } from 'preact/hooks';
import { add } from '../actions';
import { Icon } from './graphics/Icon';

/** Takes a picture with the camera of the device, or lets its camera app take it where the browser may not. */
export function CameraDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [seeing, setSeeing] = useState(false);
  const [refused, setRefused] = useState('');
  useEffect(() => {
    if (!open) {
      return;
    }

    dialog.current!.showModal();
    setRefused('');
    let live: MediaStream | undefined;
    let closed = false;
    start().then(
      granted => {
        live = granted;
        if (closed) {
          stop(granted);
        } else {
          video.current!.srcObject = granted;
        }
      },
      (reason: unknown) => setRefused(explain(reason)),
    );
    return () => {
      closed = true;
      stop(live);
      setSeeing(false);
    };
  }, [open]);

  const take = async () => {
    const canvas = document.createElement('canvas');
    canvas.width = video.current!.videoWidth;
    canvas.height = video.current!.videoHeight;
    canvas.getContext('2d')!.drawImage(video.current!, 0, 0);
    const blob = await new Promise<Blob | null>(resolve => canvas.toBlob(resolve, 'image/jpeg', 0.92));
    dialog.current!.close();
    if (blob) {
      add([new File([blob], 'camera.jpg', { type: blob.type })]);
    }
  };

  return (
    <dialog ref={dialog} class="camera" aria-labelledby="camera-title" onClose={onClose}>
      <h2 id="camera-title">Take a picture</h2>
      <video ref={video} autoplay muted playsInline hidden={refused !== ''} aria-label="What the camera sees" onLoadedData={() => setSeeing(true)} />
      {refused && <p role="alert">{refused}</p>}
      <div class="buttons">
        <button type="button" onClick={() => dialog.current!.close()}>Cancel</button>
        {refused === '' ? (
          <button type="button" class="strong" disabled={!seeing} onClick={() => void take()}><Icon name="camera" />Take</button>
        ) : (
          <label class="button strong">
            <Icon name="camera" />Use the camera app
            <input
              type="file"
              accept="image/*"
              capture="environment"
              class="unseen"
              onChange={event => {
                dialog.current!.close();
                add(event.currentTarget.files ?? []);
              }}
            />
          </label>
        )}
      </div>
    </dialog>
  );
}

async function start(): Promise<MediaStream> {
  // Absent where the page did not come over https or from this machine.
  if (!('mediaDevices' in navigator)) {
    throw new DOMException('', 'SecurityError');
  }

  return navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1920 } } });
}

function stop(stream: MediaStream | undefined): void {
  stream?.getTracks().forEach(track => track.stop());
}

function explain(reason: unknown): string {
  const name = reason instanceof DOMException ? reason.name : '';
  return name === 'NotAllowedError'
    ? 'The browser was not allowed to use the camera. Allow it in the address bar, or use the camera app.'
    : name === 'NotFoundError'
      ? 'There is no camera here. A phone can use its camera app.'
      : 'The browser gives the camera only to pages that came over https or from this machine. A phone can use its camera app.';
}
