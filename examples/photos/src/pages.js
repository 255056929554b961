// HTML. Every value that came from outside goes through `escape`.
function escape(text) {
  const names = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return String(text).replace(/[&<>"']/g, (letter) => names[letter]);
}

function servedBy() {
  const { MERIDIAN_DC, MERIDIAN_INSTANCE, MERIDIAN_RELEASE } = process.env;
  if (!MERIDIAN_INSTANCE) return '';
  const release = MERIDIAN_RELEASE ? `, release ${escape(MERIDIAN_RELEASE)}` : '';
  return `<p>Served by <strong>${escape(MERIDIAN_INSTANCE)}</strong> in ${escape(MERIDIAN_DC ?? '?')}${release}</p>`;
}

function signIn(visitor) {
  if (visitor) {
    return `<form class="sign-in" method="post" action="/sign-out">
      <span>Hello, <strong>${escape(visitor)}</strong></span>
      <button>Sign out</button>
    </form>`;
  }
  return `<form class="sign-in" method="post" action="/sign-in">
      <label for="name">Your name</label>
      <input id="name" name="name" required maxlength="40" autocomplete="nickname">
      <button>Sign in</button>
    </form>`;
}

// `link` gives what to link to for the path of a file; without it, the path itself.
function page({ title, visitor, content, link = (path) => path }) {
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${escape(title)}</title>
  <link rel="icon" href="${link('/assets/icon.svg')}" type="image/svg+xml">
  <link rel="stylesheet" href="${link('/assets/style.css')}">
  <script src="/.meridian/fallback.js" defer></script>
</head>
<body>
  <a class="skip" href="#content">Skip to the content</a>
  <header>
    <a class="brand" href="/"><img src="${link('/assets/icon.svg')}" alt="" width="32" height="32">Photos</a>
    ${signIn(visitor)}
  </header>
  <main id="content">
${content}
  </main>
  <footer>
    <p>An example application. All landscapes are computed, none was photographed.</p>
    ${servedBy()}
  </footer>
</body>
</html>
`;
}

function by(photo) {
  return photo.by ? `<span class="by">by ${escape(photo.by)}</span>` : '';
}

function picture(photo, loading, link, source = photo.source) {
  const size = photo.width ? ` width="${photo.width}" height="${photo.height}"` : '';
  return `<img src="${escape(link(source))}" alt="${escape(photo.description)}"${size} loading="${loading}">`;
}

export function galleryPage({ photos, visitor, link }) {
  const items = photos.map((photo, index) => `      <li><a href="/photos/${escape(photo.id)}">
        ${picture(photo, index < 6 ? 'eager' : 'lazy', link, photo.thumbnail ?? photo.source)}
        <span class="caption">${escape(photo.title)} ${by(photo)}</span>
      </a></li>`);
  return page({
    title: 'Photos',
    visitor,
    link,
    content: `    <h1>Places worth the detour</h1>
    <p class="lead">Look around, or add a place of your own.</p>
    <ul class="gallery">
${items.join('\n')}
    </ul>
    <section class="upload" aria-labelledby="upload-title">
      <h2 id="upload-title">Add a photo</h2>
      <form method="post" action="/photos" enctype="multipart/form-data">
        <p><label for="title">Title</label>
          <input id="title" name="title" required maxlength="80"></p>
        <p><label for="photo">JPEG, PNG or WebP, up to 2 MB</label>
          <input id="photo" name="photo" type="file" accept="image/jpeg,image/png,image/webp" required></p>
        <p><button>Upload</button></p>
      </form>
    </section>`,
  });
}

export function photoPage({ photo, visitor, link }) {
  return page({
    title: `${photo.title} · Photos`,
    visitor,
    link,
    content: `    <p><a href="/">All photos</a></p>
    <h1>${escape(photo.title)}</h1>
    <figure>
      ${picture(photo, 'eager', link)}
      <figcaption>${escape(photo.description)} ${by(photo)}</figcaption>
    </figure>`,
  });
}

export function errorPage({ title, visitor }) {
  return page({
    title: `${title} · Photos`,
    visitor,
    content: `    <h1>${escape(title)}</h1>
    <p><a href="/">Back to all photos</a></p>`,
  });
}
