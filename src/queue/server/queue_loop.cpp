#include "queue/server/queue_loop.hpp"

#include <memory>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "io/net/accept_loop.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "queue/server/client_handler.hpp"
#include "queue/server/connection.hpp"
#include "site/tier/tier_loop.hpp"

namespace meridian::queue {

QueueLoop::QueueLoop(const site::TierLoop& on, const Options& options,
                     std::vector<std::unique_ptr<io::Listener>> listeners)
    : loop_(on.loop),
      options_(options),
      metrics_(on.metrics),
      budget_(options_.max_request_bytes),
      accepted_(on.metrics.AddCounter("meridian_queue_connections_total", "Connections accepted.")),
      refused_(on.metrics.AddCounter("meridian_queue_refused_connections_total",
                                     "Connections refused because there were too many.")),
      evicted_(on.metrics.AddCounter("meridian_queue_evicted_connections_total",
                                     "Idle connections closed to make room for others.")),
      connections_open_(
          on.metrics.AddGauge("meridian_queue_connections_open", "Open client connections.")),
      listeners_(std::move(listeners)),
      accepting_(on.loop),
      connections_(on.loop) {
  for (const auto& listener : listeners_) accepting_.Spawn(Accept(*listener));
}

QueueLoop::~QueueLoop() = default;

io::Task<void> QueueLoop::Accept(io::Listener& listener) {
  io::AcceptLoop accept(
      listener, {.name = "kafka",
                 .admit = [this](std::unique_ptr<io::Stream> stream) { Admit(std::move(stream)); },
                 .make_room = [this] { return EvictIdle(); }});
  co_await accept.Run();
}

void QueueLoop::Admit(std::unique_ptr<io::Stream> stream) {
  if (open_.size() - evicting_.size() >= options_.max_connections && !EvictIdle()) {
    refused_.Add();
    return;
  }
  accepted_.Add();
  auto handler = std::make_unique<ClientHandler>(
      ClientHandler::Parts{options_.broker, options_.broker_scope, metrics_},
      stream->peer().address.ToString());
  auto connection =
      std::make_unique<Connection>(loop_, std::move(stream), budget_, std::move(handler));
  open_.insert(connection.get());
  CountOpen();
  if (draining_) connection->Leave();
  connections_.Spawn(Run(std::move(connection)));
}

io::Task<void> QueueLoop::Run(std::unique_ptr<Connection> connection) {
  co_await connection->Run();
  open_.erase(connection.get());
  evicting_.erase(connection.get());
  CountOpen();
  connection.reset();
  if (open_.empty()) all_closed_.WakeAll();
}

bool QueueLoop::EvictIdle() {
  Connection* longest = nullptr;
  for (Connection* each : open_) {
    if (!each->idle() || evicting_.contains(each)) continue;
    if (longest == nullptr || each->idle_since() < longest->idle_since()) longest = each;
  }
  if (longest == nullptr) return false;
  evicted_.Add();
  evicting_.insert(longest);
  longest->Leave();
  return true;
}

void QueueLoop::CountOpen() { connections_open_.Set(static_cast<double>(open_.size())); }

io::Task<void> QueueLoop::Drain(Duration grace) {
  draining_ = true;
  for (const auto& listener : listeners_) listener->Close();
  accepting_.Cancel();
  co_await accepting_.Join();
  for (Connection* connection : open_) connection->Leave();
  const TimePoint until = loop_.After(grace);
  while (!open_.empty() && co_await all_closed_.Wait(until)) {
  }
  for (Connection* connection : open_) connection->Cut();
  co_await connections_.Join();
}

}  // namespace meridian::queue
