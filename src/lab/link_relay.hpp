// The relay of the lab's links: listens at the links' addresses (site::AddressOf), and carries each
// connection over its link to the other data center, from the address of the data center that
// opened it.
//
// Owned by the lab; one thread: its loop. Bounded: new connections past `max_connections` are
// aborted.
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
    std::vector<uint16_t> ports;  // for traffic between data centers
    size_t max_connections = kMaxLinkedConnections;
    uint64_t seed = 0;  // for the jitter
  };

  LinkRelay(io::Loop& loop, io::Network& network, const site::Site& site, LinkTable& table,
            Options options);

  // Opens the listeners of every link. kExists: another program has an address; the message says
  // what to do.
  Result<void> Start();
  // Call after a change of the table.
  void OnChange();
  // Aborts every connection.
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
  bool warned_of_limit_ = false;
  std::vector<std::unique_ptr<io::Listener>> listeners_;
  std::list<LinkedConnection> connections_;
  io::Scope scope_;
};

}  // namespace meridian::lab
