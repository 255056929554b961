// Where uploads are kept: named contents, in the store that all data centers share, or in a folder
// where there is none.
import { mkdirSync } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { RESP_TYPES } from 'redis';

import { connectStore } from './store.js';

const HASH = 'photos:uploads'; // content by name
const OTHER_DATA_CENTERS = 1;
const COPY_WAIT_MS = 500;

class StoreFiles {
  #reader = connectStore();
  // WAIT holds up what comes behind it on its connection, so writes have one of their own.
  #writer = connectStore();
  #contents = this.#reader.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });

  // A store that is away costs a page its uploads, and no time.
  names() {
    return this.#reader.isReady ? this.#reader.hKeys(HASH) : [];
  }

  read(name) {
    return this.#contents.hGet(HASH, name);
  }

  // Returns when another data center has it too, so that the loss of this one does not lose it.
  // While no other one answers, the copy here has to do.
  async write(contents) {
    await this.#writer.hSet(HASH, contents);
    await this.#writer.wait(OTHER_DATA_CENTERS, COPY_WAIT_MS);
  }

  remove(name) {
    return this.#writer.hDel(HASH, name);
  }
}

class FolderFiles {
  constructor(folder) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  names() {
    return readdir(this.folder);
  }

  read(name) {
    return readFile(path.join(this.folder, name)).catch((error) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
  }

  async write(contents) {
    for (const [name, content] of Object.entries(contents)) {
      const file = path.join(this.folder, name);
      await writeFile(`${file}.new`, content);
      await rename(`${file}.new`, file); // listed only once it is whole
    }
  }

  remove(name) {
    return rm(path.join(this.folder, name), { force: true });
  }
}

// With names(), read(name) → Buffer or null, write({ name: content, … }), remove(name).
export function openFiles() {
  if (process.env.REDIS_URL) return new StoreFiles();
  return new FolderFiles(
    path.resolve(process.env.UPLOAD_DIR || path.join(os.tmpdir(), `photos-${os.userInfo().username}`)));
}
