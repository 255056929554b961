// Links to files that never change get a name of their own: /v/HASH/path, which Meridian's edge serves
// as `immutable` while it finds that very content behind it. HASH is the beginning of the file's
// SHA-256, so that nobody needs to be asked; whether there is such an edge is told by the request's Via.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const HASH_DIGITS = 32;

// For the files in `folders` of `root`, read once: a function of the request that gives a function
// from a file's path to what a page should link to.
export function versionedLinks(root, folders) {
  const versions = new Map();
  for (const folder of folders) {
    for (const file of readdirSync(path.join(root, folder))) {
      const hash = createHash('sha256').update(readFileSync(path.join(root, folder, file))).digest('hex');
      versions.set(`/${folder}/${file}`, `/v/${hash.slice(0, HASH_DIGITS)}/${folder}/${file}`);
    }
  }
  return (request) => {
    const behindEdge = /\bmeridian-edge\b/.test(request.get('Via') ?? '');
    return (plain) => (behindEdge && versions.get(plain)) || plain;
  };
}
