// Makes a small JPEG of a JPEG or PNG, without native code. Colours are averaged, an alpha channel
// is laid on white.
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';

export const THUMBNAIL_WIDTH = 320;
const MAX_MEGAPIXELS = 40;
const MAX_DECODER_MB = 512;
const QUALITY = 80;
const PNG_WIDTH_AT = 16; // of the header chunk IHDR

function decode(content) {
  if (content[0] === 0xff) {
    return jpeg.decode(content, {
      useTArray: true, maxResolutionInMP: MAX_MEGAPIXELS, maxMemoryUsageInMB: MAX_DECODER_MB,
    });
  }
  const pixels = content.readUInt32BE(PNG_WIDTH_AT) * content.readUInt32BE(PNG_WIDTH_AT + 4);
  if (pixels > MAX_MEGAPIXELS * 1e6) throw new Error(`a picture of ${pixels} pixels`);
  return PNG.sync.read(content);
}

// The average of the pixels of `from` that fall on one pixel of the result.
function shrink(from, width, height) {
  const to = { width, height, data: new Uint8Array(width * height * 4) };
  for (let y = 0; y < height; y++) {
    const top = Math.floor((y * from.height) / height);
    const bottom = Math.max(Math.floor(((y + 1) * from.height) / height), top + 1);
    for (let x = 0; x < width; x++) {
      const left = Math.floor((x * from.width) / width);
      const right = Math.max(Math.floor(((x + 1) * from.width) / width), left + 1);
      const sums = [0, 0, 0];
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++) {
          const at = (row * from.width + column) * 4;
          const alpha = from.data[at + 3] / 255;
          for (let i = 0; i < 3; i++) sums[i] += from.data[at + i] * alpha + 255 * (1 - alpha);
        }
      }
      const count = (bottom - top) * (right - left);
      const at = (y * width + x) * 4;
      for (let i = 0; i < 3; i++) to.data[at + i] = Math.round(sums[i] / count);
      to.data[at + 3] = 255;
    }
  }
  return to;
}

// At most THUMBNAIL_WIDTH wide. Throws where the content is no JPEG or PNG.
export function makeThumbnail(content) {
  const picture = decode(content);
  const width = Math.min(picture.width, THUMBNAIL_WIDTH);
  const height = Math.max(1, Math.round((picture.height * width) / picture.width));
  return jpeg.encode(shrink(picture, width, height), QUALITY).data;
}
