// Client: the state of a connection that commands use, its replies and its messages. Owned by its
// Connection; one thread: the loop's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "session/limits.hpp"
#include "wire/resp/reply_writer.hpp"

namespace meridian::session {

// What commands may do with the connection of a client: the seam between them and sockets.
class ClientConnection {
 public:
  // There are messages to send that are no reply to the client's own requests.
  virtual void OnMessages() = 0;
  // Closes the connection; nothing more is sent.
  virtual void Disconnect() = 0;

 protected:
  ~ClientConnection() = default;
};

// A reply that is made over several loop iterations; see long_reply.hpp.
class LongReply {
 public:
  virtual ~LongReply() = default;
  // Appends more of it. False: that was the last part.
  virtual bool Continue(wire::resp::ReplyWriter& reply) = 0;
};

// Requests between MULTI and EXEC.
struct Transaction {
  bool open = false;
  bool broken = false;  // a request in it was refused: EXEC is too
  bool stale = false;   // a watched key has changed
  size_t queued_bytes = 0;
  std::vector<std::vector<std::string>> queued;
  std::unordered_set<std::string> watched;
};

// Replies to be sent, and messages between them, which have a limit of their own
// (kMaxSubscriberBytes). Replies are written to it as to a Buffer; the connection sends from it.
class Output : public Buffer {
 public:
  using Buffer::Buffer;

  // Upper bound of its bytes that belong to messages.
  size_t message_bytes() const { return message_bytes_; }
  // The last `bytes` belong to a message.
  void CountMessage(size_t bytes) { message_bytes_ += bytes; }
  void Consume(size_t count) {
    Buffer::Consume(count);
    message_bytes_ = std::min(message_bytes_, size());
  }

 private:
  size_t message_bytes_ = 0;
};

struct Client {
  enum class ReplyMode : uint8_t { kOn, kOff, kSkipNext, kSkipThis };

  Client(uint64_t client_id, ClientConnection& behind) : id(client_id), connection(behind) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  size_t subscriptions() const { return channels.size() + patterns.size(); }
  // Whether a reply has begun and not ended: nothing else may be added to the output.
  bool replying() const { return in_request || long_reply != nullptr; }

  const uint64_t id;
  ClientConnection& connection;
  std::string address;  // "127.0.0.1:50000"
  std::string local_address;
  std::string name;
  std::string library_name;
  std::string library_version;
  std::string user = "default";
  TimePoint connected_at;
  TimePoint active_at;
  std::string_view last_command;  // of the command table
  wire::resp::Version version = wire::resp::Version::kResp2;
  bool authenticated = false;
  bool closing = false;  // after the output is sent
  bool no_evict = false;
  bool in_request = false;
  bool in_exec = false;  // the running command is of a transaction
  ReplyMode reply_mode = ReplyMode::kOn;
  Transaction transaction;
  std::unordered_set<std::string> channels;
  std::unordered_set<std::string> patterns;
  Output output{kMaxReplyBytes};
  // Messages that arrived during a reply; they are sent behind it.
  Buffer held{kMaxReplyBytes};
  // Replies so far wait until the journal is durable up to here.
  uint64_t awaited_offset = 0;
  // A WAIT, which is answered before the next request is executed.
  struct Wait {
    size_t count = 0;
    Duration timeout{};
  };
  std::optional<Wait> wait;
  // The rest of the reply to the last request, which comes before the next request is executed.
  std::unique_ptr<LongReply> long_reply;
};

}  // namespace meridian::session
