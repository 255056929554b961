// A producer of one queue system, with a connection of its own. Used by one thread. It ends the
// program with a message when the server refuses anything: a benchmark of errors is none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace meridian::bench {

struct Target {
  std::string host;
  uint16_t port = 0;
  // A topic of so many partitions; or, in systems without partitions, so many queues or streams,
  // named `NAME-0` and so on.
  std::string name;
  int partitions = 1;
};

class Producer {
 public:
  virtual ~Producer() = default;
  // Sends a message to the next partition, then waits while `window` of them are not acknowledged:
  // with a window of 1, until this one is.
  virtual void Send() = 0;
  // Waits until all are acknowledged.
  virtual void Finish() = 0;
};

struct Messages {
  std::string value;  // of each
  size_t window = 1;
};

// Each makes what the target names, where it is not there: call one at a time.
std::unique_ptr<Producer> ConnectKafka(const Target& target, const Messages& messages);
std::unique_ptr<Producer> ConnectRabbitMq(const Target& target, const Messages& messages);
std::unique_ptr<Producer> ConnectNats(const Target& target, const Messages& messages);
std::unique_ptr<Producer> ConnectRedis(const Target& target, const Messages& messages);

[[noreturn]] void Die(const std::string& message);

}  // namespace meridian::bench
