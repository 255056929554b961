// The relay of the lab's links: listens where data centers reach each other (site::AddressOf), and
// carries each connection over its link to the data center on the other side, speaking from the
// address of the one that opened it.
//
// Owned by the lab; one thread: its loop. Bounded: past `max_connections` a new one is broken off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "lab/link_table.hpp"
#include "lab/linked_connection.hpp"
#include "site/site.hpp"

namespace meridian::lab {

class LinkRelay {
 public:
  struct Options {
    std::vector<uint16_t> ports;  // on which data centers speak to each other
    size_t max_connections = kMaxLinkedConnections;
    uint64_t seed = 0;  // of the jitter
  };

  LinkRelay(io::Loop& loop, io::Network& network, const site::Site& site, LinkTable& table,
            Options options);

  // Opens every link. kExists names an address that another program has, and what to do.
  Result<void> Start();
  // The table has changed.
  void OnChange();
  // Breaks every connection off.
  io::Task<void> Stop();

  size_t connections() const { return connections_.size(); }

 private:
  Result<void> Listen(const site::DataCenter& from, const site::DataCenter& to, uint16_t port);
  io::Task<void> Accept(io::Listener& listener, LinkRoute route);
  void Admit(const LinkRoute& route, std::unique_ptr<io::Stream> opener);
  io::Task<void> Carry(LinkRoute route, std::unique_ptr<io::Stream> opener);

  io::Loop& loop_;
  io::Network& network_;
  const site::Site& site_;
  LinkTable& table_;
  Options options_;
  Random random_;
  bool told_of_limit_ = false;
  std::vector<std::unique_ptr<io::Listener>> listeners_;
  std::list<LinkedConnection> connections_;
  io::Scope scope_;
};

}  // namespace meridian::lab
