#include "session/server.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "io/loop.hpp"
#include "io/net/accept_loop.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "session/connection.hpp"
#include "session/engine/engine.hpp"
#include "session/limits.hpp"

namespace meridian::session {
namespace {

constexpr std::string_view kTooManyClients = "-ERR max number of clients reached\r\n";
constexpr std::string_view kOutOfTime = "-NOAUTH no authentication came in time\r\n";
constexpr std::string_view kRoomWanted =
    "-NOAUTH closed to make room before it authenticated: too many clients\r\n";

Counter& Count(Metrics& metrics, const char* name, const char* help) {
  return metrics.AddCounter(name, help);
}

}  // namespace

void ServerMetrics::Followed::Follow(uint64_t now) {
  // It restarts from zero after CONFIG RESETSTAT.
  if (now < last) last = 0;
  counter.Add(now - last);
  last = now;
}

ServerMetrics::ServerMetrics(Metrics& metrics)
    : connections_(
          metrics.AddGauge("meridian_session_connections_open", "Open client connections.")),
      keys_(metrics.AddGauge("meridian_session_keys", "Keys, sessions and cache together.")),
      memory_bytes_(metrics.AddGauge("meridian_session_memory_bytes",
                                     "Memory of the keys and their tables.")),
      tombstones_(metrics.AddGauge("meridian_session_tombstones",
                                   "Tombstones of deleted keys, fields and members.")),
      commands_{Count(metrics, "meridian_session_commands_total", "Commands executed.")},
      failed_{Count(metrics, "meridian_session_refused_commands_total",
                    "Commands refused before they were executed.")},
      hits_{Count(metrics, "meridian_session_hits_total", "GETs that found a value.")},
      misses_{Count(metrics, "meridian_session_misses_total", "GETs that found none.")},
      expired_{Count(metrics, "meridian_session_expired_keys_total", "Keys that have expired.")},
      evicted_{Count(metrics, "meridian_session_evicted_keys_total",
                     "Keys of the cache that were evicted for want of memory.")},
      accepted_{Count(metrics, "meridian_session_connections_total", "Connections accepted.")},
      refused_{Count(metrics, "meridian_session_refused_connections_total",
                     "Connections refused because there were too many.")},
      unauthenticated_{Count(metrics, "meridian_session_unauthenticated_connections_total",
                             "Connections closed because they had not authenticated.")},
      http_{Count(metrics, "meridian_session_http_connections_total",
                  "Connections closed because an HTTP request came.")},
      cut_off_{Count(metrics, "meridian_session_cut_off_subscribers_total",
                     "Subscribers cut off because they did not read their messages.")},
      read_bytes_{Count(metrics, "meridian_session_read_bytes_total", "Bytes of requests.")},
      written_bytes_{Count(metrics, "meridian_session_written_bytes_total", "Bytes of replies.")},
      commands_by_family_(metrics) {}

void ServerMetrics::Update(Engine& engine) {
  const Statistics& statistics = engine.statistics();
  connections_.Set(static_cast<double>(engine.clients().size()));
  keys_.Set(static_cast<double>(engine.keyspace().size()));
  memory_bytes_.Set(static_cast<double>(engine.keyspace().used_bytes()));
  tombstones_.Set(static_cast<double>(engine.keyspace().tombstones()));
  commands_.Follow(statistics.commands);
  failed_.Follow(statistics.failed_commands);
  hits_.Follow(statistics.hits);
  misses_.Follow(statistics.misses);
  expired_.Follow(engine.keyspace().expired());
  evicted_.Follow(engine.keyspace().evicted());
  accepted_.Follow(statistics.connections);
  refused_.Follow(statistics.refused_connections);
  unauthenticated_.Follow(statistics.unauthenticated_connections);
  http_.Follow(statistics.http_connections);
  cut_off_.Follow(engine.subscriptions().cut_off());
  read_bytes_.Follow(statistics.read_bytes);
  written_bytes_.Follow(statistics.written_bytes);
}

Server::Server(io::Loop& loop, Engine& engine, ServerMetrics* metrics)
    : loop_(loop),
      engine_(engine),
      metrics_(metrics),
      shared_input_(std::make_unique<uint8_t[]>(kReadBytes)),
      background_(loop),
      connections_(loop) {
  background_.Spawn(SweepRegularly());
}

Server::~Server() = default;

void Server::Serve(std::unique_ptr<io::Listener> listener) {
  listeners_.push_back(std::move(listener));
  background_.Spawn(Accept(*listeners_.back()));
}

io::Task<void> Server::Accept(io::Listener& listener) {
  io::AcceptLoop accept(listener,
                        {.name = "redis", .admit = [this](std::unique_ptr<io::Stream> stream) {
                           Admit(std::move(stream));
                         }});
  co_await accept.Run();
}

void Server::Admit(std::unique_ptr<io::Stream> stream) {
  // Admitted connections whose fiber has not begun count too, and may be closed to make room.
  if (admitted_ < engine_.options().max_clients || MakeRoom()) {
    ++admitted_;
    Connection::Parts parts{loop_,
                            engine_,
                            unauthenticated_,
                            {shared_input_.get(), kReadBytes},
                            metrics_ == nullptr ? nullptr : &metrics_->commands()};
    auto connection = std::make_unique<Connection>(parts, std::move(stream));
    open_.insert(connection.get());
    if (draining_) connection->Leave();
    return connections_.Spawn(Run(std::move(connection)));
  }
  ++engine_.statistics().refused_connections;
  if (refusing_ == kMaxRefusing) return;
  ++refusing_;
  connections_.Spawn(Refuse(std::move(stream)));
}

io::Task<void> Server::Run(std::unique_ptr<Connection> connection) {
  co_await connection->Run();
  if (!connection->ended_unauthenticated()) --admitted_;
  open_.erase(connection.get());
  connection.reset();
  if (open_.empty()) all_closed_.WakeAll();
}

bool Server::MakeRoom() {
  Connection* oldest = unauthenticated_.TakeOldest();
  if (oldest != nullptr) EndUnauthenticated(*oldest, kRoomWanted);
  return oldest != nullptr;
}

void Server::EndThoseOutOfTime() {
  TimePoint before = loop_.Now() - kAuthenticationTimeout;
  while (Connection* connection = unauthenticated_.TakeOldest(before)) {
    EndUnauthenticated(*connection, kOutOfTime);
  }
}

void Server::EndUnauthenticated(Connection& connection, std::string_view error) {
  --admitted_;
  ++engine_.statistics().unauthenticated_connections;
  if (uint64_t count = unauthenticated_log_.Count(loop_.Now())) {
    LOG_WARNING("closing connections that have not authenticated", {"count", count},
                {"peer", connection.peer()});
  }
  connection.EndUnauthenticated(error);
}

io::Task<void> Server::Refuse(std::unique_ptr<io::Stream> stream) {
  (void)co_await stream->Write(AsBytes(kTooManyClients), loop_.After(kRefusalTimeout));
  stream->ShutdownWrite();
  --refusing_;
}

io::Task<void> Server::SweepRegularly() {
  Duration pause = kSweepPause;
  while (co_await io::Sleep(pause)) {
    pause = engine_.Sweep() ? kSweepPause : kBusySweepPause;
    EndThoseOutOfTime();
    if (metrics_ != nullptr) metrics_->Update(engine_);
  }
}

io::Task<void> Server::Drain() {
  draining_ = true;
  for (auto& listener : listeners_) listener->Close();
  background_.Cancel();
  co_await background_.Join();
  for (Connection* connection : open_) connection->Leave();
  TimePoint until = loop_.After(kDrainGrace);
  while (!open_.empty() && co_await all_closed_.Wait(until)) {
  }
  for (Connection* connection : open_) connection->Cut();
  co_await connections_.Join();
}

}  // namespace meridian::session
