// What the application and its worker tell each other: each upload is a message of the topic
// `uploads`, with the photo's id as its key. Without $KAFKA_BROKERS nothing is told, and photos have
// no thumbnails.
import { Kafka, logLevel } from 'kafkajs';

export const UPLOADS = 'uploads';
const PUBLISH_RETRY = { retries: 4, initialRetryTime: 100, maxRetryTime: 1000 };

export function connect() {
  return new Kafka({
    clientId: process.env.MERIDIAN_INSTANCE || 'photos',
    brokers: process.env.KAFKA_BROKERS.split(','),
    logLevel: logLevel.ERROR,
  });
}

// Publishes uploads; connects when the first one comes.
export class UploadMessages {
  #producer = null;

  // The photo is stored already, so a queue that does not answer costs its thumbnail alone.
  async publish({ id, file }) {
    if (!process.env.KAFKA_BROKERS) return;
    try {
      this.#producer ??= this.#open();
      const producer = await this.#producer;
      await producer.send({ topic: UPLOADS, messages: [{ key: id, value: JSON.stringify({ id, file }) }] });
    } catch (error) {
      this.#producer = null; // the next upload connects anew
      console.error(`photos: upload ${id} has no thumbnail: ${error.message}`);
    }
  }

  async #open() {
    const producer = connect().producer({ idempotent: true, retry: PUBLISH_RETRY });
    await producer.connect();
    return producer;
  }
}

// Where a message goes that could not be handled: to the next retry topic, which shows it after a
// while, and from the last to the dead letters. Null: there is no such topic.
export function nextTopic(topic, { retryTopics, deadLetterTopic }) {
  const next = retryTopics.indexOf(topic) + 1;
  return retryTopics[next] ?? deadLetterTopic ?? null;
}
