#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <librdkafka/rdkafka.h>

#include "bench/queue_load/producer.hpp"

namespace meridian::bench {
namespace {

constexpr int kPollEvery = 64;  // messages

class KafkaProducer : public Producer {
 public:
  KafkaProducer(const Target& target, const Messages& messages)
      : messages_(messages), partitions_(target.partitions) {
    rd_kafka_conf_t* settings = rd_kafka_conf_new();
    Set(settings, "bootstrap.servers", target.host + ":" + std::to_string(target.port));
    Set(settings, "acks", "all");
    Set(settings, "socket.nagle.disable", "true");
    // One at a time is not held back for others to join it.
    if (messages.window == 1) Set(settings, "linger.ms", "0");
    rd_kafka_conf_set_opaque(settings, this);
    rd_kafka_conf_set_dr_msg_cb(settings,
                                [](rd_kafka_t*, const rd_kafka_message_t* message, void* producer) {
                                  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
                                    Die(rd_kafka_message_errstr(message));
                                  --static_cast<KafkaProducer*>(producer)->unacknowledged_;
                                });
    char why[512];
    client_ = rd_kafka_new(RD_KAFKA_PRODUCER, settings, why, sizeof(why));
    if (client_ == nullptr) Die(why);
    topic_ = rd_kafka_topic_new(client_, target.name.c_str(), nullptr);
    if (topic_ == nullptr) Die("the topic has no valid name");
    AwaitTopic();
  }
  KafkaProducer(const KafkaProducer&) = delete;
  KafkaProducer& operator=(const KafkaProducer&) = delete;
  ~KafkaProducer() override {
    rd_kafka_topic_destroy(topic_);
    rd_kafka_destroy(client_);
  }

  void Send() override {
    const auto partition = static_cast<int32_t>(sent_ % partitions_);
    // Not copied: it outlives all messages.
    if (rd_kafka_produce(topic_, partition, 0, messages_.value.data(), messages_.value.size(),
                         nullptr, 0, nullptr) != 0) {
      Die(rd_kafka_err2str(rd_kafka_last_error()));
    }
    ++unacknowledged_;
    if (++sent_ % kPollEvery == 0) rd_kafka_poll(client_, 0);
    while (unacknowledged_ >= messages_.window) rd_kafka_poll(client_, 1000);
  }

  void Finish() override {
    while (unacknowledged_ > 0) rd_kafka_poll(client_, 1000);
  }

 private:
  static void Set(rd_kafka_conf_t* settings, const char* name, const std::string& value) {
    char why[512];
    if (rd_kafka_conf_set(settings, name, value.c_str(), why, sizeof(why)) != RD_KAFKA_CONF_OK) {
      Die(why);
    }
  }

  // The server creates it when it is asked for the first time.
  void AwaitTopic() {
    constexpr int kTries = 50;
    for (int i = 0; i < kTries; ++i) {
      const rd_kafka_metadata_t* known = nullptr;
      const auto error = rd_kafka_metadata(client_, 0, topic_, &known, 10'000);
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) Die(rd_kafka_err2str(error));
      const int count = known->topic_cnt == 1 ? known->topics[0].partition_cnt : 0;
      rd_kafka_metadata_destroy(known);
      if (count >= partitions_) return;
      rd_kafka_poll(client_, 100);
    }
    Die("the topic does not have that many partitions");
  }

  Messages messages_;
  int partitions_;
  rd_kafka_t* client_ = nullptr;
  rd_kafka_topic_t* topic_ = nullptr;
  int64_t sent_ = 0;
  size_t unacknowledged_ = 0;
};

}  // namespace

std::unique_ptr<Producer> ConnectKafka(const Target& target, const Messages& messages) {
  return std::make_unique<KafkaProducer>(target, messages);
}

}  // namespace meridian::bench
