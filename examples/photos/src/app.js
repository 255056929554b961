// The routes. Any instance answers any request: sessions and uploads are in the store that all share,
// nothing is in this process.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import express from 'express';
import multer from 'multer';

import { GALLERY } from './gallery.js';
import { UploadMessages } from './messages.js';
import { errorPage, galleryPage, photoPage } from './pages.js';
import { SESSION_COOKIE, sessions } from './sessions.js';
import { MAX_PHOTO_BYTES, UploadStore } from './uploads.js';
import { versionedLinks } from './versions.js';

const MAX_NAME_LETTERS = 40;
const MAX_TITLE_LETTERS = 80;

const publicFolder = fileURLToPath(new URL('../public', import.meta.url));
const linksFor = versionedLinks(publicFolder, ['images', 'assets']);

// Trims, folds white space and control characters, and cuts to `limit` letters.
function clean(text, limit) {
  const plain = String(text ?? '').replace(/[\s\p{C}]+/gu, ' ').trim();
  return Array.from(plain).slice(0, limit).join('');
}

function cached(tag) {
  return (response) => {
    response.set('Cache-Control', 'public, max-age=60');
    response.set('Surrogate-Key', tag);
  };
}

export function createApp(state) {
  const app = express();
  const uploads = new UploadStore();
  const staticFiles = (folder, tag) =>
    express.static(folder, { index: false, cacheControl: false, setHeaders: cached(tag) });

  app.disable('x-powered-by');
  app.use((request, response, next) => {
    response.set({
      'Content-Security-Policy': "default-src 'self'; form-action 'self'; frame-ancestors 'none'",
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'same-origin',
    });
    if (state.draining) response.set('Connection', 'close');
    next();
  });

  app.get('/health', (request, response) => {
    response.set('Cache-Control', 'no-store');
    response.status(state.draining ? 503 : 200).type('text').send(state.draining ? 'draining\n' : 'ok\n');
  });

  app.use('/images', staticFiles(path.join(publicFolder, 'images'), 'images'));
  addUploadedFiles(app, uploads);
  app.use('/assets', staticFiles(path.join(publicFolder, 'assets'), 'assets'));

  // Pages say who is signed in, so they are the visitor's own.
  app.use(sessions(), (request, response, next) => {
    request.visitor = request.session.name ?? null;
    request.link = linksFor(request);
    response.set('Cache-Control', 'private, no-cache');
    next();
  });
  addPages(app, uploads);
  addSignIn(app);
  addUpload(app, uploads, new UploadMessages());
  addErrors(app);
  return app;
}

function addUploadedFiles(app, uploads) {
  const setHeaders = cached('images uploads');
  app.get('/uploads/:file', async (request, response, next) => {
    const { file } = request.params;
    const content = await uploads.content(file);
    if (!content) return next();
    setHeaders(response);
    response.type(path.extname(file)).send(content);
  });
}

function addPages(app, uploads) {
  app.get('/', async (request, response) => {
    const photos = [...(await uploads.list()), ...GALLERY];
    response.send(galleryPage({ photos, visitor: request.visitor, link: request.link }));
  });

  app.get('/photos/:id', async (request, response, next) => {
    const { id } = request.params;
    const photo = GALLERY.find((each) => each.id === id) ?? (await uploads.find(id));
    if (!photo) return next();
    response.send(photoPage({ photo, visitor: request.visitor, link: request.link }));
  });
}

function addSignIn(app) {
  const form = express.urlencoded({ extended: false, limit: '2kb' });

  app.post('/sign-in', form, (request, response, next) => {
    const name = clean(request.body?.name, MAX_NAME_LETTERS);
    if (!name) {
      return response.status(400).send(errorPage({ title: 'Please give a name', visitor: null }));
    }
    // Under a new name, so that nobody can have learnt it before.
    request.session.regenerate((error) => {
      if (error) return next(error);
      request.session.name = name;
      request.session.save((unsaved) => (unsaved ? next(unsaved) : response.redirect(303, '/')));
    });
  });

  app.post('/sign-out', (request, response, next) => {
    request.session.destroy((error) => {
      if (error) return next(error);
      response.clearCookie(SESSION_COOKIE);
      response.redirect(303, '/');
    });
  });
}

function addUpload(app, uploads, messages) {
  const parse = multer({
    storage: multer.memoryStorage(),
    limits: { fileSize: MAX_PHOTO_BYTES, files: 1, fields: 1, parts: 3, fieldSize: 1024 },
  }).single('photo');
  // Nothing is stored yet, so whatever goes wrong here is wrong with the request.
  const form = (request, response, next) => parse(request, response, (error) => {
    if (error) error.status = error.code === 'LIMIT_FILE_SIZE' ? 413 : 400;
    next(error);
  });

  app.post('/photos', form, async (request, response) => {
    const title = clean(request.body?.title, MAX_TITLE_LETTERS) || 'Untitled';
    const photo = request.file && (await uploads.add({
      content: request.file.buffer,
      title,
      by: request.visitor,
    }));
    if (!photo) {
      const problem = 'Please choose a JPEG, PNG or WebP photo';
      return response.status(400).send(errorPage({ title: problem, visitor: request.visitor }));
    }
    await messages.publish(photo);
    response.redirect(303, `/photos/${photo.id}`);
  });
}

function addErrors(app) {
  app.use((request, response) => {
    response.status(404).send(errorPage({ title: 'There is no such page', visitor: request.visitor }));
  });

  // Express knows an error handler by its four parameters.
  app.use((error, request, response, next) => {
    if (response.headersSent) return next(error);
    const status = error.status ?? 500;
    if (status >= 500) console.error(error);
    const title = status === 413 ? 'That is too large: a photo may have 2 MB'
      : status >= 500 ? 'Something went wrong here' : 'That request was not understood';
    response.set('Cache-Control', 'no-store');
    response.status(status).send(errorPage({ title, visitor: request.visitor ?? null }));
  });
}
