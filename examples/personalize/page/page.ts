import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import type { Accuracies } from '../accuracies.ts';
import { centred } from './centred.ts';
import { digitsIn } from './digitFile.ts';
import { Drawing } from './drawing.ts';
import { Session } from './session.ts';

const element = <E extends Element = HTMLElement>(id: string): E =>
  document.getElementById(id) as unknown as E;

const status = element('status');
const stepsInput = element<HTMLInputElement>('steps');
const switchInput = element<HTMLInputElement>('uses-adapter');
const loadInput = element<HTMLInputElement>('load');
const progress = element<HTMLProgressElement>('progress');
const controls = ['train', 'reset', 'uses-adapter', 'save', 'load'].map((id) =>
  element<HTMLButtonElement>(id),
);
const stopButton = element<HTMLButtonElement>('stop');
const rows = Array.from({ length: 10 }, (_, digit) => {
  const row = document.createElement('li');
  const meter = document.createElement('meter');
  const text = document.createElement('span');
  meter.setAttribute('aria-label', `Probability of ${digit}`);
  row.append(meter, ' ', text);
  element('probabilities').append(row);
  return { meter, text };
});

const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;

function show(column: 'base' | 'adapter', accuracies: Accuracies): void {
  for (const part of ['old', 'new', 'all'] as const) {
    element(`${column}-${part}`).textContent = percent(accuracies[part]);
  }
}

const bytesOf = async (file: string): Promise<Uint8Array> => {
  const response = await fetch(file);
  if (!response.ok) throw new Error(`${file}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
};

async function open(): Promise<Session> {
  // Production mode keeps checks of every tensor out of the training.
  tf.enableProdMode();
  setWasmPaths('./');
  await tf.setBackend('wasm');
  await tf.ready();
  const [base, training, test] = await Promise.all(
    ['base.safetensors', 'training.bin', 'test.bin'].map(bytesOf),
  );
  return Session.open({ base: base!, training: digitsIn(training!), test: digitsIn(test!) });
}

let stopping = new AbortController();

/** Does something that the other controls have to wait for, and says what comes of it. */
async function busy(begin: string, action: () => Promise<string>): Promise<void> {
  for (const control of controls) control.disabled = true;
  status.textContent = begin;
  try {
    status.textContent = await action();
  } catch (error) {
    status.textContent = stopping.signal.aborted
      ? 'Stopped. The adapter keeps what it has learned.'
      : `That failed: ${(error as Error).message}`;
  } finally {
    stopping = new AbortController();
    for (const control of controls) control.disabled = false;
  }
}

const session = await open().catch((error: Error) => {
  status.textContent = `That failed: ${error.message}`;
  throw error;
});
const drawing = new Drawing(element('drawing'), () => void classify());

async function measure(): Promise<void> {
  show('adapter', await session.accuracies(stopping.signal));
}

async function classify(): Promise<void> {
  const image = centred(drawing.values(), drawing.side);
  const isEmpty = image.every((value) => value === 0);
  const probabilities = await session.classify(image);
  for (const [digit, { meter, text }] of rows.entries()) {
    meter.value = isEmpty ? 0 : probabilities[digit]!;
    text.textContent = isEmpty ? '' : percent(probabilities[digit]!);
  }
  const best = probabilities.indexOf(Math.max(...probabilities));
  const by = session.usesAdapter ? 'with the adapter' : 'without the adapter';
  element('answer').textContent = isEmpty ? 'Nothing is drawn yet.' : `This is a ${best}, ${by}.`;
}

element('training').addEventListener('submit', (event) => {
  event.preventDefault();
  const steps = stepsInput.valueAsNumber;
  const points: string[] = [];
  void busy('Training …', async () => {
    stopButton.disabled = false;
    switchInput.checked = true;
    progress.max = steps;
    try {
      await session.train(
        steps,
        (done, loss) => {
          progress.value = done;
          status.textContent = `Step ${done} of ${steps}, loss ${loss.toFixed(3)}.`;
        },
        (done, accuracies) => {
          show('adapter', accuracies);
          points.push(`${(300 * done) / steps},${100 - 100 * accuracies.all}`);
          element('curve')
            .querySelector('polyline')!
            .setAttribute('points', `0,50 ${points.join(' ')}`);
        },
        stopping.signal,
      );
    } finally {
      stopButton.disabled = true;
      await classify();
    }
    return `Trained for ${steps} steps.`;
  });
});

stopButton.addEventListener('click', () => stopping.abort());

element('reset').addEventListener('click', () => {
  void busy('Forgetting …', async () => {
    session.reset();
    switchInput.checked = true;
    await Promise.all([measure(), classify()]);
    return 'The adapter is as it was before any training.';
  });
});

switchInput.addEventListener('change', () => {
  session.usesAdapter = switchInput.checked;
  void classify();
});

element('clear').addEventListener('click', () => drawing.clear());

element('save').addEventListener('click', () => {
  void busy('Making the files …', async () => {
    const list = element('downloads');
    for (const link of list.querySelectorAll('a')) URL.revokeObjectURL(link.href);
    list.replaceChildren();
    for (const [name, bytes] of await session.save()) {
      const [item, link] = [document.createElement('li'), document.createElement('a')];
      link.href = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
      link.download = name;
      link.textContent = `${name} (${(bytes.length / 1000).toFixed(1)} kB)`;
      item.append(link);
      list.append(item);
    }
    return 'The files of the adapter are ready to be downloaded.';
  });
});

loadInput.addEventListener('change', () => {
  const files = [...loadInput.files!];
  void busy('Loading the adapter …', async () => {
    const [config, tensors] = ['.json', '.safetensors'].map((end) =>
      files.find(({ name }) => name.endsWith(end)),
    );
    if (config === undefined || tensors === undefined) {
      throw new Error('choose adapter_config.json and adapter_model.safetensors together.');
    }
    await session.load(tensors, JSON.parse(await config.text()));
    switchInput.checked = true;
    await Promise.all([measure(), classify()]);
    return 'The adapter of the files is in use.';
  });
});

await busy('Measuring the network …', async () => {
  session.usesAdapter = false;
  show('base', await session.accuracies(stopping.signal));
  session.usesAdapter = true;
  await measure();
  return `Ready, on the ${tf.getBackend()} backend.`;
});
