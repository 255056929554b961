#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/queue_load/producer.hpp"

namespace meridian::bench {
namespace {

constexpr size_t kSendBytes = size_t{64} * 1024;
constexpr const char* kMaxLength = "100000";  // nobody consumes: older messages make room

std::string Bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

// Pipelined XADD.
class RedisProducer : public Producer {
 public:
  RedisProducer(const Target& target, const Messages& messages) : window_(messages.window) {
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(target.port);
    const int on = 1;
    if (inet_pton(AF_INET, target.host.c_str(), &address.sin_addr) != 1 ||
        connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0) {
      Die(std::string("cannot connect: ") + std::strerror(errno));
    }
    for (int i = 0; i < target.partitions; ++i) {
      commands_.push_back("*8\r\n" + Bulk("XADD") + Bulk(target.name + "-" + std::to_string(i)) +
                          Bulk("MAXLEN") + Bulk("~") + Bulk(kMaxLength) + Bulk("*") + Bulk("v") +
                          Bulk(messages.value));
    }
  }
  RedisProducer(const RedisProducer&) = delete;
  RedisProducer& operator=(const RedisProducer&) = delete;
  ~RedisProducer() override { close(socket_); }

  void Send() override {
    unsent_ += commands_[sent_ % commands_.size()];
    ++sent_;
    const bool full = sent_ - acknowledged_ >= window_;
    if (full || unsent_.size() >= kSendBytes) {
      Flush();
      TakeReplies(false);
    }
    while (sent_ - acknowledged_ >= window_) TakeReplies(true);
  }

  void Finish() override {
    Flush();
    while (acknowledged_ < sent_) TakeReplies(true);
  }

 private:
  void Flush() {
    for (size_t done = 0; done < unsent_.size();) {
      const ssize_t sent =
          send(socket_, unsent_.data() + done, unsent_.size() - done, MSG_NOSIGNAL);
      if (sent < 0) Die(std::string("cannot send: ") + std::strerror(errno));
      done += static_cast<size_t>(sent);
    }
    unsent_.clear();
  }

  // Each is two lines: the length of an id, and the id.
  void TakeReplies(bool wait) {
    char buffer[16 * 1024];
    const ssize_t received = recv(socket_, buffer, sizeof(buffer), wait ? 0 : MSG_DONTWAIT);
    if (received < 0 && errno == EAGAIN) return;
    if (received <= 0) Die("the server closed the connection");
    for (ssize_t i = 0; i < received; ++i) {
      // Ids have a '-' in their middle, errors begin with it.
      if (at_line_begin_ && buffer[i] == '-') Die("the server refuses a message");
      at_line_begin_ = buffer[i] == '\n';
      if (at_line_begin_) acknowledged_ += ++lines_ % 2 == 0 ? 1 : 0;
    }
  }

  size_t window_;
  std::vector<std::string> commands_;
  int socket_ = -1;
  std::string unsent_;
  uint64_t sent_ = 0;
  uint64_t acknowledged_ = 0;
  uint64_t lines_ = 0;
  bool at_line_begin_ = true;
};

}  // namespace

std::unique_ptr<Producer> ConnectRedis(const Target& target, const Messages& messages) {
  return std::make_unique<RedisProducer>(target, messages);
}

}  // namespace meridian::bench
