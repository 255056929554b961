#include "lab/link_relay.hpp"

#include <cstdint>
#include <memory>
#include <utility>

#include <fmt/core.h>

#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/accept_loop.hpp"
#include "io/net/network.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "lab/link_table.hpp"
#include "lab/linked_connection.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"

namespace meridian::lab {

LinkRelay::LinkRelay(io::Loop& loop, io::Network& network, const site::Site& site, LinkTable& table,
                     Options options)
    : loop_(loop),
      network_(network),
      site_(site),
      table_(table),
      options_(std::move(options)),
      random_(options_.seed),
      scope_(loop) {}

Result<void> LinkRelay::Start() {
  for (const site::DataCenter& from : site_.datacenters) {
    for (const site::DataCenter& to : site_.datacenters) {
      if (from.name == to.name) continue;
      for (uint16_t port : options_.ports) {
        Result<void> listens = Listen(from, to, port);
        if (!listens) return listens;
      }
    }
  }
  return {};
}

Result<void> LinkRelay::Listen(const site::DataCenter& from, const site::DataCenter& to,
                               uint16_t port) {
  IpAddress link = site::AddressOf(site_, {.from = from, .to = to, .hosting = site::Hosting::kLab});
  auto listener = network_.Listen({link, port}, {});
  if (!listener) {
    const char* why = listener.error().code == Errc::kExists ? "is in use by another program"
                                                             : listener.error().message.c_str();
    return Fail(listener.error().code,
                "{}, for the link from {} to {}, {}. End that, or do without links: [lab] wan = "
                "false in site.toml",
                Endpoint{link, port}.ToString(), from.name, to.name, why);
  }
  listeners_.push_back(std::move(*listener));
  scope_.Spawn(Accept(*listeners_.back(), {.from = from.address,
                                           .to = {to.address, port},
                                           .forward = table_.DirectionFrom(from.name, to.name),
                                           .backward = table_.DirectionFrom(to.name, from.name)}));
  return {};
}

io::Task<void> LinkRelay::Accept(io::Listener& listener, LinkRoute route) {
  io::AcceptLoop accept(listener, {.name = fmt::format("link {}", listener.local().ToString()),
                                   .admit = [this, &route](std::unique_ptr<io::Stream> opener) {
                                     Admit(route, std::move(opener));
                                   }});
  co_await accept.Run();
}

void LinkRelay::Admit(const LinkRoute& route, std::unique_ptr<io::Stream> opener) {
  if (scope_.size() - listeners_.size() < options_.max_connections) {
    return scope_.Spawn(Carry(route, std::move(opener)));
  }
  opener->Abort();
  if (std::exchange(warned_of_limit_, true)) return;
  LOG_WARNING("too many connections over links: new connections are aborted",
              {"limit", options_.max_connections});
}

io::Task<void> LinkRelay::Carry(LinkRoute route, std::unique_ptr<io::Stream> opener) {
  auto connection =
      connections_.emplace(connections_.end(), loop_, network_, random_, route, std::move(opener));
  co_await connection->Run();
  connections_.erase(connection);
}

void LinkRelay::OnChange() {
  for (LinkedConnection& connection : connections_) connection.OnChange();
}

io::Task<void> LinkRelay::Stop() {
  scope_.Cancel();
  co_await scope_.Join();
}

}  // namespace meridian::lab
