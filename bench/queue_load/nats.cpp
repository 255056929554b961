#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nats/nats.h>

#include "bench/queue_load/producer.hpp"

namespace meridian::bench {
namespace {

constexpr int64_t kMaxStreamBytes = int64_t{1} << 30;
constexpr int64_t kTimeoutMs = 60'000;

void Check(natsStatus status) {
  if (status == NATS_OK) return;
  natsStatus last = status;
  const char* detail = nats_GetLastError(&last);
  Die(detail != nullptr ? detail : natsStatus_GetText(status));
}

// Publishes to JetStream's streams in files.
class NatsProducer : public Producer {
 public:
  NatsProducer(const Target& target, const Messages& messages) : messages_(messages) {
    const std::string url = "nats://" + target.host + ":" + std::to_string(target.port);
    Check(natsConnection_ConnectTo(&connection_, url.c_str()));
    jsOptions options;
    Check(jsOptions_Init(&options));
    options.Wait = kTimeoutMs;
    options.PublishAsync.MaxPending = static_cast<int64_t>(messages.window);
    options.PublishAsync.StallWait = kTimeoutMs;
    options.PublishAsync.ErrHandler = [](jsCtx*, jsPubAckErr* error, void*) {
      Die(error->ErrText);
    };
    Check(natsConnection_JetStream(&stream_, connection_, &options));
    for (int i = 0; i < target.partitions; ++i) {
      subjects_.push_back(target.name + "-" + std::to_string(i));
      Add(subjects_.back());
    }
  }
  NatsProducer(const NatsProducer&) = delete;
  NatsProducer& operator=(const NatsProducer&) = delete;
  ~NatsProducer() override {
    jsCtx_Destroy(stream_);
    natsConnection_Destroy(connection_);
  }

  void Send() override {
    const char* subject = subjects_[sent_++ % subjects_.size()].c_str();
    const int bytes = static_cast<int>(messages_.value.size());
    if (messages_.window == 1) {
      Check(js_Publish(nullptr, stream_, subject, messages_.value.data(), bytes, nullptr, nullptr));
    } else {
      Check(js_PublishAsync(stream_, subject, messages_.value.data(), bytes, nullptr));
    }
  }

  void Finish() override {
    jsPubOptions options;
    Check(jsPubOptions_Init(&options));
    options.MaxWait = kTimeoutMs;
    if (messages_.window > 1) Check(js_PublishAsyncComplete(stream_, &options));
  }

 private:
  void Add(const std::string& subject) {
    jsStreamConfig config;
    Check(jsStreamConfig_Init(&config));
    const char* subjects[] = {subject.c_str()};
    config.Name = subject.c_str();
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    config.MaxBytes = kMaxStreamBytes;
    // The same stream once more is no error.
    Check(js_AddStream(nullptr, stream_, &config, nullptr, nullptr));
  }

  Messages messages_;
  std::vector<std::string> subjects_;
  natsConnection* connection_ = nullptr;
  jsCtx* stream_ = nullptr;
  size_t sent_ = 0;
};

}  // namespace

std::unique_ptr<Producer> ConnectNats(const Target& target, const Messages& messages) {
  return std::make_unique<NatsProducer>(target, messages);
}

}  // namespace meridian::bench
