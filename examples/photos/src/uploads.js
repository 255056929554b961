// Photos that visitors uploaded, in $UPLOAD_DIR: ID.jpg (or .png, .webp), ID.json beside it, and
// ID.thumb.jpg once the worker has made it. The folder is read anew for each request, so that all instances on a machine show the same. The newest
// MAX_PHOTOS are kept.
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

export const MAX_PHOTO_BYTES = 2 * 1024 * 1024;
export const MAX_PHOTOS = 24;

const NAME = /^(u[0-9a-f]{28})\.(jpg|png|webp)$/;

// What a file is, by what is in it: its name and declared type are the visitor's claim.
function extensionOf(content) {
  if (content.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))) return 'jpg';
  if (content.subarray(0, 8).equals(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'))) return 'png';
  const riff = content.subarray(0, 4).toString('latin1') === 'RIFF';
  return riff && content.subarray(8, 12).toString('latin1') === 'WEBP' ? 'webp' : null;
}

// Sorts by time: twelve digits of milliseconds first.
function newId() {
  return `u${Date.now().toString(16).padStart(12, '0')}${randomBytes(8).toString('hex')}`;
}

export class UploadStore {
  constructor(folder = process.env.UPLOAD_DIR || path.join(os.tmpdir(), `photos-${os.userInfo().username}`)) {
    this.folder = path.resolve(folder);
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
  }

  // The newest first.
  async list() {
    const files = (await readdir(this.folder)).filter((file) => NAME.test(file)).sort().reverse();
    return Promise.all(files.slice(0, MAX_PHOTOS).map((file) => this.#read(file)));
  }

  async find(id) {
    const files = await readdir(this.folder);
    const file = files.find((each) => NAME.exec(each)?.[1] === id);
    return file ? this.#read(file) : null;
  }

  // What the file holds, or null when there is no such upload.
  async content(file) {
    if (!NAME.test(file)) throw new Error(`${file} is no upload`);
    return readFile(path.join(this.folder, file)).catch((error) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
  }

  async addThumbnail(id, content) {
    const file = path.join(this.folder, `${id}.thumb.jpg`);
    await writeFile(`${file}.new`, content);
    await rename(`${file}.new`, file); // shown only once it is whole
  }

  // The new photo's id and file, or null when the content is not a picture.
  async add({ content, title, by }) {
    const extension = extensionOf(content);
    if (!extension) return null;
    const id = newId();
    const file = path.join(this.folder, `${id}.${extension}`);
    await writeFile(path.join(this.folder, `${id}.json`), JSON.stringify({ title, by }));
    await writeFile(`${file}.new`, content);
    await rename(`${file}.new`, file); // listed only once it is whole
    await this.#removeOldest();
    return { id, file: path.basename(file) };
  }

  async #read(file) {
    const id = NAME.exec(file)[1];
    const facts = await readFile(path.join(this.folder, `${id}.json`), 'utf8')
      .then(JSON.parse)
      .catch(() => ({}));
    const title = String(facts.title ?? 'Untitled');
    const small = await stat(path.join(this.folder, `${id}.thumb.jpg`)).then(() => true, () => false);
    return {
      id,
      title,
      description: title,
      source: `/uploads/${file}`,
      thumbnail: small ? `/uploads/${id}.thumb.jpg` : null,
      by: facts.by ?? null,
    };
  }

  async #removeOldest() {
    const files = (await readdir(this.folder)).filter((file) => NAME.test(file)).sort();
    for (const file of files.slice(0, Math.max(0, files.length - MAX_PHOTOS))) {
      await rm(path.join(this.folder, file), { force: true });
      await rm(path.join(this.folder, `${NAME.exec(file)[1]}.json`), { force: true });
      await rm(path.join(this.folder, `${NAME.exec(file)[1]}.thumb.jpg`), { force: true });
    }
  }
}
