// Connection: one client's connection. It reads requests, has them executed, and sends the
// responses in the order of the requests.
//
// Clients send several Produce requests without waiting, so that one sync of the disk serves them
// all: those are executed at the same time, up to kMaxPipelinedRequests, and begin in their order.
// Any other request is executed after all before it, and before the next one is read.
//
// A frame that cannot be a request, or a request that is refused as a whole, ends the connection,
// as it does in Kafka: the protocol has no response for it.
//
// Owned by the fiber that the QueueLoop spawned for it; one thread: the loop's. Invariants: the
// bytes of a request are taken from the budget before they are read, and until its response is sent
// or its handler releases its frame; one fiber reads and one writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/server/byte_budget.hpp"
#include "queue/server/response.hpp"

namespace meridian::queue {

// A request as it came, without its length. Move only.
struct RequestFrame {
  std::unique_ptr<uint8_t[]> memory;
  size_t bytes = 0;
  ByteBudget::Share* share = nullptr;

  MutableBytes all() const { return {memory.get(), bytes}; }
  // Frees the memory, and gives its bytes back, before the response is sent: for a request that
  // begins to wait for something to happen. On the connection's loop.
  void Release() {
    memory.reset();
    bytes = 0;
    share->Give();
  }
};

// Executes the requests of one connection.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;

  // Whether further requests may be executed beside this one.
  virtual bool MayOverlap(Bytes frame) const = 0;
  // The response, or nothing where the client wants none. An error ends the connection, and its
  // message says why.
  virtual io::Task<Result<std::optional<Response>>> Handle(RequestFrame frame) = 0;
  // The client is gone, or this process drains: a request that waits for something to happen is
  // answered now.
  virtual void StopWaiting() = 0;
};

class Connection {
 public:
  // `received`: what was read of the stream already.
  Connection(io::Loop& loop, std::unique_ptr<io::Stream> stream, ByteBudget& budget,
             std::unique_ptr<RequestHandler> handler, Bytes received = {});
  ~Connection();

  // Serves until the client or the server ends it.
  io::Task<void> Run();
  // Reads no further request; closes the connection when those that were read are answered.
  void Leave();
  // Closes it at once.
  void Cut() { stream_->Close(); }
  // It has no request, so that it can be closed to make room for another.
  bool idle() const { return idle_ && pending_.empty(); }
  TimePoint idle_since() const { return idle_since_; }
  Endpoint peer() const { return stream_->peer(); }

 private:
  // A request in its place of the order of responses.
  struct Pending {
    explicit Pending(ByteBudget& budget) : share(budget) {}
    ByteBudget::Share share;
    bool done = false;
    std::optional<Response> response = {};
  };

  io::Task<void> ReadRequests();
  io::Task<Result<void>> ReadRequest();
  // The length of the next frame; nothing at the end of the connection.
  io::Task<Result<std::optional<size_t>>> ReadLength();
  // Reads the frame in steps, each of which is taken from the budget.
  io::Task<Result<void>> ReadFrame(RequestFrame& frame);
  io::Task<Result<void>> ReadInto(MutableBytes into, TimePoint deadline);
  bool OthersDone() const;
  io::Task<void> Execute(Pending& pending, RequestFrame frame);
  io::Task<void> SendResponses();
  io::Task<Result<void>> Send(const Response& response);
  io::Task<void> WatchPeer();
  void End(const Error& why);

  io::Loop& loop_;
  std::unique_ptr<io::Stream> stream_;
  ByteBudget& budget_;
  std::unique_ptr<RequestHandler> handler_;
  Buffer input_;
  std::deque<std::unique_ptr<Pending>> pending_;
  bool idle_ = true;
  TimePoint idle_since_;
  bool leaving_ = false;
  bool executing_ = false;  // the reading fiber, which reads no further meanwhile
  bool reading_ended_ = false;
  bool ended_ = false;
  io::WaitQueue progress_;  // a request is done, or a response is sent
  io::Scope reader_;
  io::Scope requests_;
  io::Scope watcher_;
};

}  // namespace meridian::queue
