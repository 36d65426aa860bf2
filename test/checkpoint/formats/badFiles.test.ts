import { existsSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import {
  CheckpointError,
  openSafetensors,
  openTorch,
  readSafetensors,
  readTorch,
} from '../../../src/checkpoint/index.ts';
import { badFile, badFiles } from './badFiles.ts';

const prototype = Reflect.ownKeys(Object.prototype);

afterEach(() => {
  expect(Reflect.ownKeys(Object.prototype)).toEqual(prototype);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

/** What a reader made of bytes: the error, or null. */
function errorOf(read: () => { tensors: tf.NamedTensorMap }): unknown {
  try {
    tf.dispose(read().tensors);
    return null;
  } catch (error) {
    return error;
  }
}

function checkError(error: unknown): void {
  expect(error).toBeInstanceOf(CheckpointError);
  const { message } = error as CheckpointError;
  expect(message.length).toBeLessThan(500);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those must not be there
  expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
}

describe.each(badFiles)('the file $file ($note)', ({ file, outcome }) => {
  const bytes = badFile(file);
  const isTorch = file.endsWith('.pt');

  it(`has the outcome ${outcome}`, () => {
    const error = errorOf(() => (isTorch ? readTorch(bytes) : readSafetensors(bytes)));
    if (outcome !== 'ok-or-error') expect(error === null, String(error)).toBe(outcome === 'ok');
    if (error !== null) checkError(error);
  });

  it('has the same when it is opened and read tensor by tensor', async () => {
    let error: unknown = null;
    try {
      const opened = await (isTorch
        ? openTorch(new Blob([bytes.slice()]))
        : openSafetensors(new Blob([bytes.slice()])));
      try {
        for (const name of opened.names.slice(0, 50)) (await opened.tensor(name)).dispose();
      } finally {
        await opened.close();
      }
    } catch (thrown) {
      error = thrown;
    }
    const atOnce = errorOf(() => (isTorch ? readTorch(bytes) : readSafetensors(bytes)));
    expect((error as CheckpointError | null)?.code).toBe((atOnce as CheckpointError | null)?.code);
    if (error !== null) checkError(error);
  });
});

describe('the error', () => {
  it.each([
    ['pt_os_system_global.pt', 'UNSAFE', "'os.system'"],
    ['pt_posix_system_stack_global.pt', 'UNSAFE', "'posix.system'"],
    ['pt_builtins_eval.pt', 'UNSAFE', "'__builtin__.eval'"],
    ['pt_subprocess_popen_in_value.pt', 'UNSAFE', "'subprocess.Popen'"],
    ['pt_rebuild_from_type_v2.pt', 'UNSAFE', "'os.system'"],
    ['pt_inst_opcode.pt', 'UNSAFE', 'INST'],
    ['pt_tensor_size_huge.pt', 'CORRUPT', 'does not lie within its storage'],
    ['pt_big_endian.pt', 'UNSUPPORTED', "byte order 'big'"],
    ['pt_zip_encrypted_flag.pt', 'UNSUPPORTED', 'encrypted'],
    ['pt_zip_dup_entry.pt', 'CORRUPT', 'two entries'],
    ['pt_deep_nesting_200k.pt', 'LIMIT', 'more memory'],
    ['st_header_deep_nesting.safetensors', 'CORRUPT', 'nested deeper'],
    ['st_control_chars_in_name.safetensors', 'DTYPE', "'a\\u000a\\u001b[31mred\\u0000'"],
    ['other_git_lfs_pointer.pt', 'NOT_A_CHECKPOINT', 'git lfs pull'],
    ['other_html.safetensors', 'NOT_A_CHECKPOINT', 'HTML'],
    ['other_gzip.pt', 'NOT_A_CHECKPOINT', 'gzip'],
    ['other_png.pt', 'NOT_A_CHECKPOINT', 'PNG'],
    ['other_json.pt', 'NOT_A_CHECKPOINT', 'JSON'],
    ['other_npz.pt', 'NOT_A_CHECKPOINT', 'data.pkl'],
    ['other_safetensors_renamed.pt', 'NOT_A_CHECKPOINT', 'it is safetensors'],
    ['other_pt_renamed.safetensors', 'NOT_A_CHECKPOINT', 'like one of torch'],
  ])('of %s is %s and says %s', (file, code, text) => {
    const bytes = badFile(file);
    const error = errorOf(() => (file.endsWith('.pt') ? readTorch(bytes) : readSafetensors(bytes)));
    expect(error).toMatchObject({ code, message: expect.stringContaining(text) });
  });

  it('of no file shows the contents of it beyond names', () => {
    const error = errorOf(() => readSafetensors(badFile('st_header_not_json.safetensors')));
    expect((error as Error).cause).toBeUndefined();
  });
});

it('unpacks nothing to the disk, whatever the names in an archive', () => {
  expect(errorOf(() => readTorch(badFile('pt_zip_path_traversal.pt')))).toBeNull();
  for (const place of ['/PWNED', '/tmp/PWNED', 'PWNED', '../PWNED']) expect(existsSync(place)).toBe(false);
});
