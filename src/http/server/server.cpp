#include "http/server/server.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/limits.hpp"
#include "http/server/connection_budget.hpp"
#include "http/server/server_connection.hpp"
#include "http/server/server_context.hpp"
#include "http/server/server_group.hpp"
#include "io/loop.hpp"
#include "io/net/accept_loop.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"

namespace meridian::http {
namespace {

io::Task<void> JoinAll(io::Scope& scope) { co_await scope.Join(); }

}  // namespace

Server::Server(io::Loop& loop, ServerOptions options, Handler handler)
    : context_(std::make_unique<ServerContext>(loop, std::move(handler), options.limits)),
      acceptors_(loop),
      connections_(loop) {
  context_->tls = std::move(options.tls);
  context_->metrics = options.metrics;
  context_->group = std::move(options.group);
  if (context_->group == nullptr) {
    auto budget = std::make_shared<ConnectionBudget>(options.limits.max_connections);
    context_->group = std::make_shared<ServerGroup>(loop, std::move(budget), "http");
  }
  context_->group->Add(*context_);
}

Server::~Server() { context_->group->Remove(*context_); }

void Server::Serve(std::unique_ptr<io::Listener> listener) {
  listeners_.push_back(std::move(listener));
  acceptors_.Spawn(Accept(*listeners_.back()));
}

void Server::ServeStream(std::unique_ptr<io::Stream> stream) { Admit(std::move(stream)); }

io::Task<void> Server::Accept(io::Listener& listener) {
  io::AcceptLoop accept(
      listener, {.name = listener.local().ToString(),
                 .admit = [this](std::unique_ptr<io::Stream> stream) { Admit(std::move(stream)); },
                 .make_room = [this] { return context_->group->Evict(); }});
  co_await accept.Run();
}

void Server::Admit(std::unique_ptr<io::Stream> stream) {
  ServerGroup::Admission admission = context_->group->Admit();
  if (!admission.admitted) return RefuseForLimit(std::move(stream));
  if (context_->metrics != nullptr) context_->metrics->ConnectionOpened();
  ++serving_;
  newest_ = context_->loop.Now();
  auto handshake = context_->tls == nullptr ? nullptr : context_->handshakes.Add(newest_);
  context_->group->Publish();
  auto run = Run(std::move(stream), std::move(handshake), std::move(admission.pending));
  connections_.Spawn(std::move(run));
}

void Server::RefuseForLimit(std::unique_ptr<io::Stream> stream) {
  if (context_->metrics != nullptr) context_->metrics->ConnectionRefused();
  // A TLS handshake only to refuse would cost us more than the attacker.
  if (context_->tls != nullptr || refusing_ == kMaxRefusing) return;
  ++refusing_;
  connections_.Spawn(RunRefused(std::move(stream)));
}

io::Task<void> Server::RunRefused(std::unique_ptr<io::Stream> stream) {
  ServerConnection connection(*context_, std::move(stream));
  co_await connection.RunRefused();
  --refusing_;
}

io::Task<void> Server::Run(std::unique_ptr<io::Stream> stream,
                           std::unique_ptr<io::Handshakes::Entry> handshake,
                           std::shared_ptr<ServerGroup::Eviction> pending) {
  if (pending == nullptr || co_await context_->group->AwaitRoom(std::move(pending))) {
    ServerConnection connection(*context_, std::move(stream));
    co_await connection.Run(std::move(handshake));
  }
  context_->group->Left();
  if (stream != nullptr) RefuseForLimit(std::move(stream));
  if (context_->metrics != nullptr) context_->metrics->ConnectionClosed();
  if (--serving_ == 0) all_closed_.WakeAll();
}

void Server::SetRetiring(bool retiring) { context_->retiring = retiring; }

io::Task<void> Server::Retire(TimePoint until) {
  context_->retiring = true;
  co_await AllClosed(until);
}

io::Task<void> Server::AllClosed(TimePoint until) {
  while (serving_ != 0) {
    if (!co_await all_closed_.Wait(until)) co_return;
  }
}

// A closed SharedListener still has the connections that it was given.
io::Task<void> Server::AdmitRest(io::Listener& listener) {
  for (;;) {
    io::Listener::Accepted stream = co_await listener.Accept();
    if (stream) {
      Admit(std::move(*stream));
    } else if (stream.error().code == Errc::kClosed || stream.error().code == Errc::kCancelled) {
      co_return;
    }
  }
}

io::Task<void> Server::Drain(TimePoint deadline, Duration grace) {
  co_await Retire(std::min(deadline, context_->loop.After(grace)));
  for (auto& listener : listeners_) listener->Close();
  co_await acceptors_.Join();
  for (auto& listener : listeners_) co_await AdmitRest(*listener);
  // The newest connection probably has a request in flight.
  co_await AllClosed(std::min(deadline, newest_ + std::min(grace, kRetireGrace)));
  context_->draining = true;
  context_->idle.CloseAll();
  co_await io::Within(deadline, JoinAll(connections_));
}

}  // namespace meridian::http
