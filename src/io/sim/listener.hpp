// SimListener: a listening socket of a simulated host. Private to io/sim. One thread.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/net/stream.hpp"
#include "io/sim/connection.hpp"
#include "io/sim/fabric.hpp"
#include "io/sim/stream.hpp"

namespace meridian::io::sim {

class SimListener final : public Listener {
 public:
  SimListener(Fabric& fabric, Endpoint at, size_t backlog)
      : fabric_(fabric), at_(at), backlog_(backlog) {}
  ~SimListener() override { Close(); }

  Endpoint local() const override { return at_; }
  void Close() override {
    if (closed_) return;
    closed_ = true;
    fabric_.Unregister(*this);
    for (auto& stream : waiting_) stream->Abort();
    waiting_.clear();
    InterruptAll();
  }
  std::optional<Accepted> TryAccept() override {
    if (closed_) return Fail(Errc::kClosed, "accept: closed");
    if (waiting_.empty()) return std::nullopt;
    std::unique_ptr<SimStream> next = std::move(waiting_.front());
    waiting_.pop_front();
    return next;
  }

  bool full() const { return waiting_.size() >= backlog_; }
  // Queues an arrived connection until it is accepted.
  void Add(const std::shared_ptr<Connection>& connection) {
    waiting_.push_back(std::make_unique<SimStream>(fabric_, connection, 1));
    NotifyReadable();
  }

 private:
  Fabric& fabric_;
  Endpoint at_;
  size_t backlog_;
  std::deque<std::unique_ptr<SimStream>> waiting_;
  bool closed_ = false;
};

}  // namespace meridian::io::sim
