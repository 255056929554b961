// For tests: a network in memory; the test is its servers.
#pragma once

#include <deque>
#include <memory>

#include "http/memory_stream.hpp"
#include "io/net/network.hpp"
#include "io/wait_queue.hpp"

namespace meridian::http {

class MemoryNetwork final : public io::Network {
 public:
  // The behaviour of the next connects.
  enum class Mode : uint8_t { kAccept, kRefuse, kSilent };
  Mode mode = Mode::kAccept;
  size_t capacity = size_t{64} * 1024;
  int connects = 0;

  // Number of the client's writes on the newest connection, which must still be open.
  int client_writes() const { return last_->writes(); }

  // The server's end of the next connection, in the order of their connects.
  io::Task<std::unique_ptr<MemoryStream>> Accept() {
    while (accepted_.empty()) CHECK(co_await arrived_.Wait());
    std::unique_ptr<MemoryStream> next = std::move(accepted_.front());
    accepted_.pop_front();
    co_return next;
  }

  io::Task<Result<std::unique_ptr<io::Stream>>> Connect(Endpoint to,
                                                        io::ConnectOptions options) override {
    ++connects;
    if (mode == Mode::kRefuse) co_return Fail(Errc::kRefused, "{}: refused", to.ToString());
    if (mode == Mode::kSilent) {
      io::WaitQueue nobody;
      Result<void> waited = co_await nobody.Wait(options.deadline);
      co_return Fail(std::move(waited.error()));
    }
    auto [ours, theirs] = MemoryStream::Pair(capacity);
    accepted_.push_back(std::move(theirs));
    last_ = ours.get();
    arrived_.WakeOne();
    co_return std::move(ours);
  }
  Result<std::unique_ptr<io::Listener>> Listen(Endpoint, io::ListenOptions) override {
    return Fail(Errc::kUnavailable, "nothing listens here");
  }
  Result<std::unique_ptr<io::Datagrams>> Bind(Endpoint) override {
    return Fail(Errc::kUnavailable, "no datagrams here");
  }

 private:
  std::deque<std::unique_ptr<MemoryStream>> accepted_;
  io::WaitQueue arrived_;
  MemoryStream* last_ = nullptr;
};

}  // namespace meridian::http
