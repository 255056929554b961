#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <sys/time.h>

#include "bench/queue_load/producer.hpp"

namespace meridian::bench {
namespace {

constexpr amqp_channel_t kChannel = 1;
constexpr int kMaxFrameBytes = 131'072;
// Nobody consumes: older messages make room.
constexpr int kMaxLength = 100'000;

// Publishes to quorum queues, with confirms.
class RabbitMqProducer : public Producer {
 public:
  RabbitMqProducer(const Target& target, const Messages& messages)
      : messages_(messages), acknowledged_(messages.window + 1) {
    connection_ = amqp_new_connection();
    amqp_socket_t* socket = amqp_tcp_socket_new(connection_);
    if (amqp_socket_open(socket, target.host.c_str(), target.port) != 0) Die("cannot connect");
    Check(amqp_login(connection_, "/", 0, kMaxFrameBytes, 0, AMQP_SASL_METHOD_PLAIN, "guest",
                     "guest"));
    amqp_channel_open(connection_, kChannel);
    Check(amqp_get_rpc_reply(connection_));
    for (int i = 0; i < target.partitions; ++i) {
      queues_.push_back(target.name + "-" + std::to_string(i));
      Declare(queues_.back());
    }
    amqp_confirm_select(connection_, kChannel);
    Check(amqp_get_rpc_reply(connection_));
    properties_._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
    properties_.delivery_mode = AMQP_DELIVERY_PERSISTENT;
  }
  RabbitMqProducer(const RabbitMqProducer&) = delete;
  RabbitMqProducer& operator=(const RabbitMqProducer&) = delete;
  ~RabbitMqProducer() override {
    amqp_connection_close(connection_, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(connection_);
  }

  void Send() override {
    const std::string& queue = queues_[sent_ % queues_.size()];
    const amqp_bytes_t body = {.len = messages_.value.size(), .bytes = messages_.value.data()};
    if (amqp_basic_publish(connection_, kChannel, amqp_empty_bytes,
                           amqp_cstring_bytes(queue.c_str()), 0, 0, &properties_,
                           body) != AMQP_STATUS_OK) {
      Die("a message could not be sent");
    }
    ++sent_;
    TakeAnswer(false);
    while (sent_ - all_below_ >= messages_.window) TakeAnswer(true);
  }

  void Finish() override {
    while (all_below_ < sent_) TakeAnswer(true);
  }

 private:
  static void Check(const amqp_rpc_reply_t& reply) {
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
    Die(std::string("the server refuses: ") + (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION
                                                   ? amqp_error_string2(reply.library_error)
                                                   : "it closed the connection or the channel"));
  }

  void Declare(const std::string& queue) {
    amqp_table_entry_t entries[2] = {};
    entries[0].key = amqp_cstring_bytes("x-queue-type");
    entries[0].value.kind = AMQP_FIELD_KIND_UTF8;
    entries[0].value.value.bytes = amqp_cstring_bytes("quorum");
    entries[1].key = amqp_cstring_bytes("x-max-length");
    entries[1].value.kind = AMQP_FIELD_KIND_I32;
    entries[1].value.value.i32 = kMaxLength;
    const amqp_table_t arguments = {.num_entries = 2, .entries = entries};
    constexpr amqp_boolean_t kDurable = 1;
    amqp_queue_declare(connection_, kChannel, amqp_cstring_bytes(queue.c_str()), 0, kDurable, 0, 0,
                       arguments);
    Check(amqp_get_rpc_reply(connection_));
  }

  // Takes an acknowledgement, waiting for one if `wait`.
  void TakeAnswer(bool wait) {
    amqp_maybe_release_buffers_on_channel(connection_, kChannel);
    amqp_frame_t frame;
    timeval now = {};
    const int status = amqp_simple_wait_frame_noblock(connection_, &frame, wait ? nullptr : &now);
    if (status == AMQP_STATUS_TIMEOUT) return;
    if (status != AMQP_STATUS_OK) Die(amqp_error_string2(status));
    if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD) {
      Die("the server answered something else than an acknowledgement");
    }
    const auto* ack = static_cast<const amqp_basic_ack_t*>(frame.payload.method.decoded);
    // Tags count from 1.
    if (ack->multiple != 0) {
      for (uint64_t i = all_below_; i < ack->delivery_tag; ++i) Mark(i);
    } else {
      Mark(ack->delivery_tag - 1);
    }
    while (acknowledged_[all_below_ % acknowledged_.size()]) {
      acknowledged_[all_below_ % acknowledged_.size()] = false;
      ++all_below_;
    }
  }
  void Mark(uint64_t message) { acknowledged_[message % acknowledged_.size()] = true; }

  Messages messages_;
  std::vector<std::string> queues_;
  amqp_connection_state_t connection_ = nullptr;
  amqp_basic_properties_t properties_ = {};
  uint64_t sent_ = 0;
  uint64_t all_below_ = 0;          // are acknowledged
  std::vector<bool> acknowledged_;  // from there on, a ring
};

}  // namespace

std::unique_ptr<Producer> ConnectRabbitMq(const Target& target, const Messages& messages) {
  return std::make_unique<RabbitMqProducer>(target, messages);
}

}  // namespace meridian::bench
