// Polls the agents of the other data centers for their view, each once a second, by mutual TLS at
// their admin ports.
//
// Owned by the agent; one thread: its loop.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "agent/context.hpp"
#include "agent/peers/peers.hpp"
#include "http/client/client.hpp"
#include "io/net/tls.hpp"
#include "site/site.hpp"

namespace meridian::agent {

// The agent of another data center, by mutual TLS with `tls`.
http::Upstream PeerUpstream(const Context& context, const site::DataCenter& dc,
                            std::shared_ptr<io::TlsContext> tls);

class PeerPoller {
 public:
  // Reports every answer and every miss to `peers`, and then calls `changed`.
  PeerPoller(const Context& context, const std::shared_ptr<io::TlsContext>& tls, Peers& peers,
             std::function<void()> changed);

  // Runs until cancelled.
  io::Task<void> Run();

 private:
  struct Peer {
    std::string name;
    std::unique_ptr<http::Client> client;
    bool heard = true;  // the state that was last logged
  };
  io::Task<void> Poll(Peer& peer);
  io::Task<Result<void>> Ask(Peer& peer);

  const Context& context_;
  Peers& peers_;
  std::function<void()> changed_;
  std::vector<Peer> polled_;
};

}  // namespace meridian::agent
