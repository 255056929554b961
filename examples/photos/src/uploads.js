// Photos that visitors uploaded: ID.jpg (or .png, .webp), ID.json beside it, and ID.thumb.jpg once
// the worker has made it. They are read anew for each request, so that all instances show the same.
// The newest MAX_PHOTOS are kept.
import { randomBytes } from 'node:crypto';

import { openFiles } from './files.js';

export const MAX_PHOTO_BYTES = 2 * 1024 * 1024;
export const MAX_PHOTOS = 24;

const NAME = /^(u[0-9a-f]{28})\.(jpg|png|webp)$/;
const SERVED = /^u[0-9a-f]{28}(\.thumb)?\.(jpg|png|webp)$/;

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
  #files = openFiles();

  // The newest first.
  async list() {
    const names = await this.#files.names();
    const photos = names.filter((name) => NAME.test(name)).sort().reverse();
    return Promise.all(photos.slice(0, MAX_PHOTOS).map((file) => this.#describe(file, names)));
  }

  async find(id) {
    const names = await this.#files.names();
    const file = names.find((name) => NAME.exec(name)?.[1] === id);
    return file ? this.#describe(file, names) : null;
  }

  // The content of a photo or thumbnail, or null when there is none.
  async content(file) {
    return SERVED.test(file) ? this.#files.read(file) : null;
  }

  async addThumbnail(id, content) {
    await this.#files.write({ [`${id}.thumb.jpg`]: content });
  }

  // The new photo's id and file, or null when the content is not a picture.
  async add({ content, title, by }) {
    const extension = extensionOf(content);
    if (!extension) return null;
    const id = newId();
    const file = `${id}.${extension}`;
    await this.#files.write({ [`${id}.json`]: JSON.stringify({ title, by }), [file]: content });
    await this.#removeOldest();
    return { id, file };
  }

  async #describe(file, names) {
    const id = NAME.exec(file)[1];
    const facts = await Promise.resolve(this.#files.read(`${id}.json`)).then(JSON.parse).catch(() => null);
    const title = String(facts?.title ?? 'Untitled');
    return {
      id,
      title,
      description: title,
      source: `/uploads/${file}`,
      thumbnail: names.includes(`${id}.thumb.jpg`) ? `/uploads/${id}.thumb.jpg` : null,
      by: facts?.by ?? null,
    };
  }

  async #removeOldest() {
    const files = (await this.#files.names()).filter((name) => NAME.test(name)).sort();
    for (const file of files.slice(0, Math.max(0, files.length - MAX_PHOTOS))) {
      const id = NAME.exec(file)[1];
      for (const name of [file, `${id}.json`, `${id}.thumb.jpg`]) await this.#files.remove(name);
    }
  }
}
