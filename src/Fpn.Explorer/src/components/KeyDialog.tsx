import { useEffect, useRef, useState } from 'preact/hooks';
import { key } from '../api';
import { enterKey } from '../actions';
import { update } from '../state';

/** Asks for the API key when the service wants one. */
export function KeyDialog({ open }: { open: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const closed = useRef(false);
  const [value, setValue] = useState('');
  useEffect(() => {
    if (open && !dialog.current!.open) {
      dialog.current!.showModal();
    } else if (!open && dialog.current!.open) {
      closed.current = true;
      dialog.current!.close();
    }
  }, [open]);

  // The event comes late. When it is about our own closing, a refused key may have asked for the dialog again by then.
  const onClose = () => {
    if (closed.current) {
      closed.current = false;
    } else {
      update({ keyWanted: false });
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby="key-title" onClose={onClose}>
      <form
        onSubmit={event => {
          event.preventDefault();
          if (value.trim() !== '') {
            setValue('');
            enterKey(value.trim());
          }
        }}
      >
        <h2 id="key-title">This service asks for a key</h2>
        <p class="quiet">It is sent with your pictures to this service only, and forgotten when you close the tab.</p>
        {open && key.get() !== null && <p role="alert"><b>The service did not take the key that you entered.</b></p>}
        <label>
          API key
          <input type="password" autocomplete="off" value={value} onInput={event => setValue(event.currentTarget.value)} />
        </label>
        <div class="buttons">
          <button type="button" onClick={() => update({ keyWanted: false })}>Not now</button>
          <button type="submit" class="strong">Use this key</button>
        </div>
      </form>
    </dialog>
  );
}
