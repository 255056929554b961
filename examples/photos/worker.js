// Makes the thumbnails of uploaded photos: consumes $MERIDIAN_TOPIC as a member of the group
// $MERIDIAN_GROUP. [worker.thumbnail] of site.toml runs it. A photo that cannot be read is tried
// again by way of the retry topics, and ends in the topic of dead letters.
import { connect, nextTopic, UPLOADS } from './src/messages.js';
import { makeThumbnail } from './src/thumbnail.js';
import { UploadStore } from './src/uploads.js';

const topic = process.env.MERIDIAN_TOPIC || UPLOADS;
const retryTopics = (process.env.MERIDIAN_RETRY_TOPICS || '').split(',').filter(Boolean);
const deadLetterTopic = process.env.MERIDIAN_DEAD_LETTER_TOPIC || null;
const uploads = new UploadStore();
const kafka = connect();
const producer = kafka.producer({ idempotent: true });
const consumer = kafka.consumer({ groupId: process.env.MERIDIAN_GROUP || 'thumbnail' });

async function handle(message) {
  const { id, file } = JSON.parse(message.value);
  if (file.endsWith('.webp')) return; // no decoder: the gallery shows the photo itself
  const content = await uploads.content(file);
  // Not mirrored to this data center yet, or removed to make room for newer ones.
  if (content === null) throw new Error('the photo is not here');
  await uploads.addThumbnail(id, makeThumbnail(content));
  console.log(`thumbnail of ${id}`);
}

await producer.connect();
await consumer.connect();
await consumer.subscribe({ topics: [topic, ...retryTopics], fromBeginning: true });
await consumer.run({
  eachMessage: async ({ topic: from, message }) => {
    try {
      await handle(message);
    } catch (error) {
      const next = nextTopic(from, { retryTopics, deadLetterTopic });
      console.error(`${message.key}: ${error.message}; ${next ? `goes to ${next}` : 'is given up'}`);
      if (next === null) return;
      const { key, value, headers, timestamp } = message;
      // A failure here has this message delivered again.
      await producer.send({ topic: next, messages: [{ key, value, headers, timestamp }] });
    }
  },
});

async function leave() {
  await consumer.disconnect();
  await producer.disconnect();
  process.exit(0);
}
process.once('SIGTERM', leave);
process.once('SIGINT', leave);
